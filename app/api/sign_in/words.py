"""The words of the sign-in pages, in English and Welsh.

The Welsh has not been reviewed by a translator yet: docs/decisions/identity.md says so too.
"""

from starlette.requests import Request

from app.access.grants import SCOPES
from app.core.negotiation import LANGUAGES, Language, language_of

ENGLISH = {
    "other_language": "cy",
    "other_name": "Cymraeg",
    "sign_in": "Sign in",
    "sign_in_for": "To continue to",
    "email": "E-mail address",
    "password": "Password",
    "wrong": "The address or the password is wrong.",
    "wait_password": "Too many attempts have failed. Try again in {minutes} minutes, or ask for a new password below.",
    "forgotten_link": "Forgotten your password?",
    "asks": "asks to be allowed to act for you:",
    "never_more": "It never sees or does more than you may yourself. You stay signed in there until you "
    "sign out, or for some weeks.",
    "leads_to": "Afterwards you go back to",
    "consent": "Allow access?",
    "allow": "Allow",
    "refuse": "Do not allow",
    "second_factor": "Enter your code",
    "code_of_app": "Six-digit code from your authenticator app",
    "or_recovery": "No telephone at hand? Type one of your recovery codes instead. Each counts once.",
    "check": "Continue",
    "wrong_code": "This code is wrong, or has been used. Wait for the next one and type that.",
    "wait": "Too many wrong codes. Wait {minutes} minutes, then begin again where you came from.",
    "enrol": "Set up an authenticator app",
    "enrol_why": "Here your account needs a second step besides your password: a code from an app on your "
    "telephone. Any authenticator app will do.",
    "enrol_scan": "Scan this picture with the app:",
    "picture": "QR code for the authenticator app",
    "enrol_link": "Or open it in the app on this device",
    "enrol_type": "Or type this key into the app:",
    "enrol_code": "Then type the six-digit code that the app shows",
    "recovery_codes": "Keep these recovery codes",
    "recovery_why": "If you lose your telephone, each of these lets you in once instead of a code. Print them or "
    "write them down, and keep them where nobody else looks. They are shown only now.",
    "recovery_kept": "I have kept them",
    "disabled": "This account is disabled",
    "disabled_because": "Nobody can sign in to it at present. The reason given:",
    "disabled_ask": "Ask whoever looks after accounts at your organisation or at the service.",
    "refused": "This cannot be done",
    "go_back": "Go back to the app or page from which you came, and begin again there.",
    "unknown_client": "The app that sent you here is not registered, or not with this address.",
    "malformed": "The address that led you here is incomplete.",
    "over": "This page was open for too long, or was opened in another browser.",
    "or": "or",
    "sign_in_with": "Sign in with",
    "continue_to": "Continue to",
    "leading_on": "You are being taken to the page where you sign in with that account.",
    "by_school": "Sign in with your school's account",
    "school_address": "Your school e-mail address",
    "continue": "Continue",
    "no_provider": "No school's account is known for that address. Use your password, or ask your school's "
    "administrator how to sign in.",
    "cancelled": "You were not signed in there: it was cancelled, or that account may not be used here.",
    "provider_away": "The service where you sign in does not answer at the moment. Try again in a few "
    "minutes, or sign in another way.",
    "not_believed": "What that service sent back could not be relied upon, so nobody was signed in. Tell your "
    "administrator when it happens again.",
    "not_known": "That account is not known here. Ask the administrator of your school or organisation to bring "
    "you in. If you can already sign in another way, do so, and add this account to yours there.",
    "is_closed": "That account led to a way in that has been closed. Ask the administrator of your school or "
    "organisation.",
    "link": "Add a way to sign in?",
    "link_asks": "You are about to let an account at",
    "link_opens": "sign in as",
    "link_warning": "Go on only if that is you, and if you have just asked for this yourself.",
}

WELSH = {
    "other_language": "en",
    "other_name": "English",
    "sign_in": "Mewngofnodi",
    "sign_in_for": "I fynd ymlaen i",
    "email": "Cyfeiriad e-bost",
    "password": "Cyfrinair",
    "wrong": "Mae'r cyfeiriad neu'r cyfrinair yn anghywir.",
    "wait_password": "Mae gormod o ymdrechion wedi methu. Rhowch gynnig arall arni ymhen {minutes} munud, neu gofynnwch am gyfrinair newydd isod.",
    "forgotten_link": "Wedi anghofio'ch cyfrinair?",
    "asks": "yn gofyn am ganiatâd i weithredu ar eich rhan:",
    "never_more": "Ni fydd byth yn gweld nac yn gwneud mwy nag y cewch chi eich hun. Byddwch yn aros wedi "
    "mewngofnodi yno nes i chi allgofnodi, neu am rai wythnosau.",
    "leads_to": "Wedyn byddwch yn mynd yn ôl i",
    "consent": "Caniatáu mynediad?",
    "allow": "Caniatáu",
    "refuse": "Peidio â chaniatáu",
    "second_factor": "Rhowch eich cod",
    "code_of_app": "Cod chwe digid o'ch ap dilysu",
    "or_recovery": "Dim ffôn wrth law? Teipiwch un o'ch codau adfer yn lle hynny. Mae pob un yn cyfrif unwaith.",
    "check": "Parhau",
    "wrong_code": "Mae'r cod hwn yn anghywir, neu wedi'i ddefnyddio. Arhoswch am y nesaf a theipiwch hwnnw.",
    "wait": "Gormod o godau anghywir. Arhoswch {minutes} munud, yna dechreuwch eto o'r lle y daethoch.",
    "enrol": "Gosod ap dilysu",
    "enrol_why": "Yma mae angen ail gam ar eich cyfrif yn ogystal â'ch cyfrinair: cod o ap ar eich ffôn. Gwnaiff "
    "unrhyw ap dilysu'r tro.",
    "enrol_scan": "Sganiwch y llun hwn â'r ap:",
    "picture": "Cod QR ar gyfer yr ap dilysu",
    "enrol_link": "Neu agorwch ef yn yr ap ar y ddyfais hon",
    "enrol_type": "Neu teipiwch yr allwedd hon yn yr ap:",
    "enrol_code": "Yna teipiwch y cod chwe digid y mae'r ap yn ei ddangos",
    "recovery_codes": "Cadwch y codau adfer hyn",
    "recovery_why": "Os collwch eich ffôn, mae pob un o'r rhain yn eich gadael i mewn unwaith yn lle cod. "
    "Argraffwch nhw neu ysgrifennwch nhw, a'u cadw lle nad oes neb arall yn edrych. Dim ond nawr y cânt eu dangos.",
    "recovery_kept": "Rwyf wedi'u cadw",
    "disabled": "Mae'r cyfrif hwn wedi'i analluogi",
    "disabled_because": "Ni all neb fewngofnodi iddo ar hyn o bryd. Y rheswm a roddwyd:",
    "disabled_ask": "Gofynnwch i bwy bynnag sy'n gofalu am gyfrifon yn eich sefydliad neu yn y gwasanaeth.",
    "refused": "Ni ellir gwneud hyn",
    "go_back": "Ewch yn ôl i'r ap neu'r dudalen y daethoch ohoni, a dechreuwch eto yno.",
    "unknown_client": "Nid yw'r ap a'ch anfonodd yma wedi'i gofrestru, neu nid gyda'r cyfeiriad hwn.",
    "malformed": "Mae'r cyfeiriad a ddaeth â chi yma yn anghyflawn.",
    "over": "Bu'r dudalen hon ar agor yn rhy hir, neu fe'i hagorwyd mewn porwr arall.",
    "or": "neu",
    "sign_in_with": "Mewngofnodi gyda",
    "continue_to": "Ymlaen i",
    "leading_on": "Rydych yn cael eich arwain i'r dudalen lle byddwch yn mewngofnodi gyda'r cyfrif hwnnw.",
    "by_school": "Mewngofnodi gyda chyfrif eich ysgol",
    "school_address": "Eich cyfeiriad e-bost ysgol",
    "continue": "Ymlaen",
    "no_provider": "Nid oes cyfrif ysgol yn hysbys ar gyfer y cyfeiriad hwnnw. Defnyddiwch eich cyfrinair, neu "
    "gofynnwch i weinyddwr eich ysgol sut i fewngofnodi.",
    "cancelled": "Ni chawsoch eich mewngofnodi yno: cafodd ei ganslo, neu ni cheir defnyddio'r cyfrif hwnnw yma.",
    "provider_away": "Nid yw'r gwasanaeth lle byddwch yn mewngofnodi yn ateb ar hyn o bryd. Rhowch gynnig arall "
    "arni ymhen ychydig funudau, neu mewngofnodwch mewn ffordd arall.",
    "not_believed": "Ni ellid dibynnu ar yr hyn a anfonodd y gwasanaeth hwnnw yn ôl, felly ni chafodd neb ei "
    "fewngofnodi. Dywedwch wrth eich gweinyddwr os bydd yn digwydd eto.",
    "not_known": "Nid yw'r cyfrif hwnnw yn hysbys yma. Gofynnwch i weinyddwr eich ysgol neu'ch sefydliad ddod â chi "
    "i mewn. Os gallwch fewngofnodi eisoes mewn ffordd arall, gwnewch hynny, ac ychwanegwch y cyfrif hwn at eich un "
    "chi yno.",
    "is_closed": "Roedd y cyfrif hwnnw'n arwain at ffordd i mewn sydd wedi'i chau. Gofynnwch i weinyddwr eich ysgol "
    "neu'ch sefydliad.",
    "link": "Ychwanegu ffordd o fewngofnodi?",
    "link_asks": "Rydych ar fin gadael i gyfrif gyda",
    "link_opens": "fewngofnodi fel",
    "link_warning": "Ewch ymlaen dim ond os mai chi yw hwnnw, ac os ydych newydd ofyn am hyn eich hun.",
}

WORDS = {"en": ENGLISH, "cy": WELSH}

WELSH_SCOPES = {
    "access:read": "Gofyn pwy allai ddarllen cofnod, pwy sydd wedi'i ddarllen, a pham y cewch neu na chewch chi.",
    "account:read": "Gweld ble a sut yr ydych yn mewngofnodi, a pha apiau yr ydych wedi'u caniatáu.",
    "account:write": "Newid eich cyfrinair, eich cyfeiriad a'ch ail ffactor, eich allgofnodi, cytuno i ffyrdd eraill "
    "i mewn ac i sefydliadau, uno cofnod arall o'ch eiddo â'r un hwn, a gwneud eich cyfrif yn ddienw.",
    "audit:read": "Darllen yr hyn a wnaed i gyfrifon a hawliau yr ydych yn eu gweinyddu.",
    "break-glass:read": "Darllen agoriadau y cewch eu gweld, a'r hyn y mae un yn ei agor i chi.",
    "break-glass:write": "Gofyn am agoriad mewn argyfwng, cadarnhau un rhywun arall, cau eich un chi.",
    "clients:read": "Darllen yr integreiddiadau a'r apiau yr ydych yn eu gweinyddu, a byth un o'u cyfrinachau.",
    "clients:write": "Cofrestru, newid ac analluogi integreiddiadau ac apiau yr ydych yn eu gweinyddu, a rhoi "
    "cyfrinachau iddynt.",
    "evidence-items:read": "Darllen tystiolaeth a'i ffeiliau y mae'r cytundebau'n gadael i chi eu darllen.",
    "evidence-items:write": "Ysgrifennu eich tystiolaeth eich hun, ei ffeiliau a phwy gaiff ei darllen.",
    "frameworks:read": "Darllen y fframweithiau cyfeirio a'r egwyddorion hyfforddi.",
    "goals:read": "Darllen nodau y mae'r cytundebau'n gadael i chi eu darllen.",
    "goals:write": "Ysgrifennu nodau, eu cynnydd a'r hyn a gytunir amdanynt.",
    "identity-providers:read": "Darllen darparwyr hunaniaeth y sefydliadau yr ydych yn eu gweinyddu.",
    "identity-providers:write": "Newid darparwyr hunaniaeth y sefydliadau yr ydych yn eu gweinyddu.",
    "identities:read": "Darllen, drwy SCIM, y defnyddwyr a ddaeth o gyfeiriadur eich sefydliad.",
    "identities:write": "Creu, newid, cau a dileu, drwy SCIM, ddefnyddwyr cyfeiriadur eich sefydliad.",
    "learning-agreements:read": "Darllen cytundebau dysgu yr ydych yn barti iddynt neu y cewch wybod amdanynt.",
    "learning-agreements:write": "Drafftio, cynnig, llofnodi, gwrthod, cwblhau a therfynu cytundebau dysgu.",
    "networks:read": "Darllen y rhwydweithiau y cewch eu gweld, a'u haelodau.",
    "networks:write": "Sefydlu rhwydweithiau, gofyn am ymuno â nhw, a rheoli'r rhai yr ydych yn eu harwain neu'n eu hwyluso.",
    "organisations:read": "Darllen sefydliadau.",
    "organisations:write": "Creu a newid sefydliadau yr ydych yn eu gweinyddu.",
    "people:read": "Darllen y bobl a'r cysylltiadau y cewch eu gweld.",
    "people:write": "Creu a newid pobl a chysylltiadau sefydliadau yr ydych yn eu gweinyddu.",
    "shares:read": "Darllen gyda phwy y rhennir cofnodion, cyn belled ag y cewch wybod.",
    "shares:write": "Rhannu eich cofnodion eich hun â phobl a rhwydweithiau, a'u cymryd yn ôl.",
}

SCOPE_WORDS = {"en": SCOPES, "cy": WELSH_SCOPES}


def chosen_language(request: Request, ui_locales: str = "") -> Language:
    """The page's language: what the client asks for (OpenID Connect's `ui_locales`), else the browser's."""
    for tag in ui_locales.split():
        for language in LANGUAGES:
            if tag.lower().partition("-")[0] == language:
                return language
    return language_of(request)
