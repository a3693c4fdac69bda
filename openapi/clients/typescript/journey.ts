// The main journey through Tandem, by openapi-fetch and the types that openapi-typescript generates from
// openapi.json.
//
//     node build/journey.js http://127.0.0.1:8000 demo.json
//
// `demo.json` holds the accounts that `tandem demonstrate` made. Prints a line for each step; the first thing
// that is not as it should be ends it.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./tandem.js";

type Schemas = components["schemas"];
type Problem = Schemas["Problem"];
type Account = { role: string; email: string; password: string };
type Answer<Data> = { data?: Data; error?: unknown; response: Response };

const WELSH = "Ysgol Gynradd Tŷ Newydd";
const PDF = new Blob(["%PDF-1.7\n", "Cynllun gwers\n".repeat(500), "%%EOF\n"], { type: "application/pdf" });
const TODAY = new Date().toISOString().slice(0, 10);
const NEXT_YEAR = `${new Date().getUTCFullYear() + 1}-01-31`;

/** What the service answered. */
function given<Data>(answer: Answer<Data>, status: number): NonNullable<Data> {
  assert.equal(answer.response.status, status, JSON.stringify(answer.error ?? answer.data));
  assert.ok(answer.data);
  return answer.data;
}

/** A problem of this kind: the last part of its `type`. */
function refused(answer: { error?: Problem; response: Response }, status: number, kind: string): Problem {
  assert.equal(answer.response.status, status, JSON.stringify(answer.error));
  assert.ok(answer.error);
  assert.equal(answer.error.status, status);
  assert.ok(answer.error.type.endsWith(`/${kind}`), answer.error.type);
  return answer.error;
}

function etagOf(answer: { response: Response }): string {
  const etag = answer.response.headers.get("ETag");
  assert.ok(etag);
  return etag;
}

/** Somebody who has signed in with an account of the demonstration. */
class Person {
  private constructor(
    readonly api: Client<paths>,
    readonly id: string,
    private readonly affiliations: Schemas["AffiliationOut"][],
  ) {}

  /** By the password grant, which only a demonstration offers; standard_client.ts signs in as an app does. */
  static async of(baseUrl: string, account: Account): Promise<Person> {
    const form = { grant_type: "password" as const, username: account.email, password: account.password };
    const token = given(
      await createClient<paths>({ baseUrl }).POST("/oauth/token", {
        body: form,
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
      }),
      200,
    );
    const api = createClient<paths>({
      baseUrl,
      headers: { Authorization: `Bearer ${token.access_token}` },
    });
    const me = given(await api.GET("/v1/me"), 200);
    assert.ok(me.person);
    return new Person(api, me.person.id, me.affiliations);
  }

  /** The organisation where they have this role. */
  at(role: Schemas["AffiliationRole"]): string {
    const found = this.affiliations.find((affiliation) => affiliation.role === role);
    assert.ok(found);
    return found.organisation_id;
  }
}

/** The people of the demonstration, and what they do. */
class Journey {
  constructor(
    private readonly learner: Person,
    private readonly coach: Person,
    private readonly head: Person,
    private readonly administrator: Person,
  ) {}

  async walk(): Promise<void> {
    await this.schoolWithAWelshName();
    const agreement = await this.agreement();
    const goal = await this.goal(agreement);
    await this.conflict(goal);
    await this.evidence();
    await this.lostAnswer();
    await this.whatTheHeadTeacherDoesNotSee(agreement, goal);
    await this.pages();
  }

  /** It comes back as it was written, and is found without its accents. */
  private async schoolWithAWelshName(): Promise<void> {
    const { api } = this.administrator;
    const body = { kind: "school", name: WELSH, parent_id: this.administrator.at("administrator") } as const;
    const made = given(await api.POST("/v1/organisations", { body }), 201);
    assert.equal(made.name, WELSH);
    const query = { q: "ty newydd" };
    const found = given(await api.GET("/v1/organisations", { params: { query } }), 200);
    assert.ok(found.items.some((one) => one.id === made.id));
    console.log("a school with a Welsh name");
  }

  /** Learner and coach draft, propose and sign. */
  private async agreement(): Promise<string> {
    const { api } = this.learner;
    const draft: Schemas["AgreementNew"] = {
      parties: [
        { person_id: this.learner.id, role: "learner" },
        { person_id: this.coach.id, role: "coach" },
      ],
      home_organisation_id: this.learner.at("teacher"),
      purpose: "Gwell cwestiynau.",
    };
    const answer = await api.POST("/v1/learning-agreements", { body: draft });
    const { id } = given(answer, 201);
    const path = { learning_agreement_id: id };
    const propose = "/v1/learning-agreements/{learning_agreement_id}/proposal" as const;
    const early = refused(await api.POST(propose, { params: { path } }), 422, "invalid");
    assert.ok(early.errors?.some((place) => place.pointer === "/ground_rules"));
    const completed = await api.PATCH("/v1/learning-agreements/{learning_agreement_id}", {
      params: { path, header: { "If-Match": etagOf(answer) } },
      body: {
        beneficiaries: "Blwyddyn 7.",
        working_definition: "Sgwrs strwythuredig.",
        performance_management_boundary: "Dim byd.",
        ground_rules: ["Gall y naill neu'r llall stopio."],
        data_controller: "Ysgol Bryn Demo",
        lawful_basis: "Public task",
        retention: "Two years",
        records_afterwards: "Erased",
        rhythm: { every_weeks: 2, minutes: 40, minimum_conversations: 6 },
        coaching_model: "GROW",
        starts_on: TODAY,
        disclosure: { goals: ["coaches", "systems"] },
      },
    });
    assert.equal(given(completed, 200).text.purpose, "Gwell cwestiynau.");
    const { digest } = given(await api.POST(propose, { params: { path } }), 200);
    assert.ok(digest);
    const obligations: Schemas["Obligation"][] = [
      "beneficence", "nonmaleficence", "autonomy", "confidentiality", "fairness", "loyalty", "concern",
    ];
    const sign = "/v1/learning-agreements/{learning_agreement_id}/signatures" as const;
    given(await api.POST(sign, { params: { path }, body: { digest } }), 201);
    const last = await this.coach.api.POST(sign, { params: { path }, body: { digest, obligations } });
    const signed = given(last, 201);
    assert.ok(signed.view === "text");
    assert.equal(signed.state, "active");
    assert.deepEqual(signed.text.disclosure?.goals, ["coaches", "systems"]);
    console.log("an agreement, drafted, proposed and signed by two");
    return id;
  }

  /** Proposed, accepted, reworded, accepted again, begun. */
  private async goal(agreement: string): Promise<string> {
    const { api } = this.learner;
    const made = await api.POST("/v1/goals", {
      body: { statement: "More talk.", agreement_id: agreement, readers: ["coaches"] },
    });
    const { id } = given(made, 201);
    const path = { goal_id: id };
    given(await api.POST("/v1/goals/{goal_id}/proposal", { params: { path } }), 200);
    const etag = etagOf(await api.GET("/v1/goals/{goal_id}", { params: { path } }));
    const reworded = await api.PATCH("/v1/goals/{goal_id}", {
      params: { path, header: { "If-Match": etag } },
      body: { statement: "More talk by pupils." },
    });
    assert.equal(given(reworded, 200).wording_number, 2);
    const accept = (person: Person, wording_number: number) =>
      person.api.POST("/v1/goals/{goal_id}/acceptances", { params: { path }, body: { wording_number } });
    refused(await accept(this.coach, 1), 409, "conflict");
    given(await accept(this.learner, 2), 200);
    assert.equal(given(await accept(this.coach, 2), 200).state, "agreed");
    const noted = await api.POST("/v1/goals/{goal_id}/progress", {
      params: { path },
      body: { note: "Begun.", state: "in_progress" },
    });
    assert.equal(given(noted, 201).to_state, "in_progress");
    const old = given(await this.coach.api.GET("/v1/goals/{goal_id}/revisions", { params: { path } }), 200);
    assert.deepEqual(old.items.map((one) => one.wording.statement), ["More talk."]);
    console.log("a goal, negotiated and reworded");
    return id;
  }

  /** Two revise the same state: the second is told, and shown what stands there now. */
  private async conflict(goal: string): Promise<void> {
    const { api } = this.learner;
    const path = { goal_id: goal };
    const etag = etagOf(await api.GET("/v1/goals/{goal_id}", { params: { path } }));
    const revise = (baseline: string) =>
      api.PATCH("/v1/goals/{goal_id}", { params: { path, header: { "If-Match": etag } }, body: { baseline } });
    const first = await revise("First.");
    given(first, 200);
    const second = await revise("Second.");
    const stale = refused(second, 412, "stale-version");
    assert.equal((stale.current as Schemas["GoalOut"] | undefined)?.baseline, "First.");
    assert.equal(etagOf(second), etagOf(first));
    console.log("a conflict, told as a problem with what stands there now");
  }

  /** Kept by the learner alone, with a file, until it is shared with the coach. */
  private async evidence(): Promise<void> {
    const { api } = this.learner;
    const item = given(
      await api.POST("/v1/evidence-items", {
        body: {
          kind: "lesson_plan",
          title: "Cynllun gwers",
          shows_pupils: "no",
          controller_organisation_id: this.learner.at("teacher"),
        },
      }),
      201,
    );
    const path = { evidence_item_id: item.id };
    const file = given(
      await api.POST("/v1/evidence-items/{evidence_item_id}/files", {
        params: { path },
        // The types have a string for a file, as JSON would; a form carries it as it is.
        body: { file: "" },
        bodySerializer: () => {
          const form = new FormData();
          form.append("file", PDF, "Cynllun Ŵ.pdf");
          return form;
        },
      }),
      201,
    );
    assert.equal(file.name, "Cynllun Ŵ.pdf");
    const read = () => this.coach.api.GET("/v1/evidence-items/{evidence_item_id}", { params: { path } });
    refused(await read(), 404, "not-found");
    const share = { person_id: this.coach.id, reason: "Cyngor.", ends_on: NEXT_YEAR };
    const shared = await api.POST("/v1/shares", { body: { evidence_item_id: item.id, ...share } });
    assert.equal(given(shared, 201).person_id, this.coach.id);
    const seen = given(await read(), 200);
    assert.ok(seen.view !== "withheld");
    assert.equal(seen.title, "Cynllun gwers");
    const content = await this.coach.api.GET("/v1/evidence-items/{evidence_item_id}/files/{file_id}/content", {
      params: { path: { ...path, file_id: file.id } },
      parseAs: "blob",
    });
    assert.equal(await (given(content, 200) as Blob).text(), await PDF.text());
    console.log("evidence with a file, shared with the coach");
  }

  /** The same request with the same key, three times: one goal. */
  private async lostAnswer(): Promise<void> {
    const key = randomUUID();
    const ids = new Set<string>();
    const replayed: (string | null)[] = [];
    for (let time = 0; time < 3; time++) {
      const answer = await this.learner.api.POST("/v1/goals", {
        params: { header: { "Idempotency-Key": key } },
        body: { statement: `Sent from a train, ${key}.` },
      });
      ids.add(given(answer, 201).id);
      replayed.push(answer.response.headers.get("Idempotency-Replayed"));
    }
    assert.equal(ids.size, 1);
    assert.deepEqual(replayed, [null, "true", "true"]);
    console.log("a lost answer, asked for again");
  }

  /** That the agreement exists, and nothing else. */
  private async whatTheHeadTeacherDoesNotSee(agreement: string, goal: string): Promise<void> {
    const { api } = this.head;
    const path = { learning_agreement_id: agreement };
    const seen = given(await api.GET("/v1/learning-agreements/{learning_agreement_id}", { params: { path } }), 200);
    assert.equal(seen.view, "existence");
    assert.ok(!("text" in seen));
    const hidden = await api.GET("/v1/goals/{goal_id}", { params: { path: { goal_id: goal } } });
    refused(hidden, 404, "not-found");
    assert.deepEqual(given(await api.GET("/v1/goals"), 200).items, []);
    const history = "/v1/learning-agreements/{learning_agreement_id}/history" as const;
    refused(await api.GET(history, { params: { path } }), 403, "forbidden");
    console.log("a head teacher sees that there is an agreement, and no more");
  }

  /** Every goal once, two a page, and the same as in one. */
  private async pages(): Promise<void> {
    const { api } = this.learner;
    const whole = given(await api.GET("/v1/goals", { params: { query: { limit: 200 } } }), 200);
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const query: { limit: number; cursor?: string } = cursor ? { limit: 2, cursor } : { limit: 2 };
      const page: Schemas["GoalPage"] = given(await api.GET("/v1/goals", { params: { query } }), 200);
      assert.ok(page.items.length <= 2);
      found.push(...page.items.map((goal) => goal.id));
      cursor = page.next;
    } while (cursor);
    assert.deepEqual(found, whole.items.map((goal) => goal.id));
    assert.ok(found.length > 2);
    console.log("a list, page by page");
  }
}

const [base, file] = process.argv.slice(2);
assert.ok(base && file, "node build/journey.js http://127.0.0.1:8000 demo.json");
const { accounts } = JSON.parse(readFileSync(file, "utf8")) as { accounts: Account[] };
const somebody = (role: string) => {
  const account = accounts.find((one) => one.role === role);
  assert.ok(account);
  return Person.of(base, account);
};
const [learner, coach, head, administrator] = await Promise.all([
  somebody("learner"),
  somebody("coach"),
  somebody("head_teacher"),
  somebody("administrator"),
]);
await new Journey(learner, coach, head, administrator).walk();
