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
    "refused": "This cannot be done",
    "go_back": "Go back to the app or page from which you came, and begin again there.",
    "unknown_client": "The app that sent you here is not registered, or not with this address.",
    "malformed": "The address that led you here is incomplete.",
    "over": "This page was open for too long, or was opened in another browser.",
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
    "refused": "Ni ellir gwneud hyn",
    "go_back": "Ewch yn ôl i'r ap neu'r dudalen y daethoch ohoni, a dechreuwch eto yno.",
    "unknown_client": "Nid yw'r ap a'ch anfonodd yma wedi'i gofrestru, neu nid gyda'r cyfeiriad hwn.",
    "malformed": "Mae'r cyfeiriad a ddaeth â chi yma yn anghyflawn.",
    "over": "Bu'r dudalen hon ar agor yn rhy hir, neu fe'i hagorwyd mewn porwr arall.",
}

WORDS = {"en": ENGLISH, "cy": WELSH}

WELSH_SCOPES = {
    "access:read": "Gofyn pwy allai ddarllen cofnod, pwy sydd wedi'i ddarllen, a pham y cewch neu na chewch chi.",
    "account:read": "Gweld ble a sut yr ydych yn mewngofnodi.",
    "account:write": "Newid eich cyfrinair a'ch cyfeiriad mewngofnodi, a chytuno i ffyrdd eraill i mewn.",
    "audit:read": "Darllen yr hyn a wnaed i gyfrifon a hawliau yr ydych yn eu gweinyddu.",
    "break-glass:read": "Darllen agoriadau y cewch eu gweld, a'r hyn y mae un yn ei agor i chi.",
    "break-glass:write": "Gofyn am agoriad mewn argyfwng, cadarnhau un rhywun arall, cau eich un chi.",
    "evidence-items:read": "Darllen tystiolaeth a'i ffeiliau y mae'r cytundebau'n gadael i chi eu darllen.",
    "evidence-items:write": "Ysgrifennu eich tystiolaeth eich hun, ei ffeiliau a phwy gaiff ei darllen.",
    "frameworks:read": "Darllen y fframweithiau cyfeirio a'r egwyddorion hyfforddi.",
    "goals:read": "Darllen nodau y mae'r cytundebau'n gadael i chi eu darllen.",
    "goals:write": "Ysgrifennu nodau, eu cynnydd a'r hyn a gytunir amdanynt.",
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
