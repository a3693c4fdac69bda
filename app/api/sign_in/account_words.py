"""The words of the pages to which links in messages lead, in English and Welsh.

The Welsh has not been reviewed by a translator yet: docs/decisions/ways-in.md says so too.
"""

ENGLISH = {
    "new_password": "New password",
    "password_hint": "At least 12 characters. Three or four words that do not belong together are easy to keep "
    "in mind and hard to guess; spaces and every letter count.",
    "forgotten": "A new password",
    "forgotten_why": "Type the address with which you sign in. If it is known here, a message with a link is "
    "sent to it; the link is good for one hour.",
    "forgotten_do": "Send me a link",
    "sent": "Look into your mailbox",
    "sent_why": "If this address is known here, a message is on its way to it. It can take some minutes; look "
    "among unwanted mail too. Until you use the link, your password stays as it is.",
    "password": "Choose a new password",
    "password_why": "You are then signed out everywhere, and sign in with the new one.",
    "password_do": "Set the password",
    "password_set": "Your password is set",
    "password_set_why": "You have been signed out everywhere. Go back to the app or page from which you came, and "
    "sign in there with your new password.",
    "invitation": "Your way in to Tandem",
    "invitation_why": "{organisation} has invited you. You will sign in with {email} and the password that you "
    "choose here.",
    "invitation_do": "Make my way in",
    "invitation_agree": "This account has a way in already, or another organisation brings it one. Sign in with that "
    "one, agree to this invitation there (your app lists it among your invitations), and then open this link again.",
    "invitation_wait": "For the safety of its owner a new address for this account counts after 72 hours, so that "
    "whoever reads its earlier addresses can object. Open this link again from {moment} on.",
    "invited": "You can sign in now",
    "invited_why": "Go to the app or page that your organisation has named, and sign in with {email}.",
    "invitation-refusal": "Stop this invitation?",
    "invitation-refusal_why": "{organisation} has sent an invitation to this account to {email}. If that address "
    "is not yours, stop it.",
    "invitation-refusal_do": "Stop the invitation",
    "invitation_refused": "The invitation is stopped",
    "invitation_refused_why": "Its link leads nowhere any more. Tell your organisation that the address was wrong.",
    "address": "Confirm your address",
    "address_why": "From {moment} on you will sign in with {email}.",
    "address_do": "Confirm",
    "address_confirmed": "The address is confirmed",
    "address_confirmed_why": "You sign in with it from {moment} on; until then with the address that you have.",
    "address-refusal": "Stop the change of address?",
    "address-refusal_why": "Somebody who is signed in as you wants to sign in with {email} in future. If it was not "
    "you, stop it: everybody is then signed out.",
    "address-refusal_do": "Stop it",
    "address_refused": "The change is stopped",
    "address_refused_why": "Everybody has been signed out of your account. Whoever asked for it knew your password: "
    "choose a new one now.",
    "link_over": "This link has been used, or is too old. Ask for another where you got it.",
    "form_over": "This page was open for too long, or was opened in another browser. Open the link once more.",
    "weak_short": "The password needs at least 12 characters: three or four words are easy to keep in mind.",
    "weak_long": "The password has more than 256 characters.",
    "weak_control": "The password must not contain control characters.",
    "weak_own": "The password is made of your own name or address.",
    "weak_easy": "The password is one of those that are guessed first: take other words, or more of them.",
    "wait_links": "Too many attempts from here have failed. Try again in {minutes} minutes.",
}

WELSH = {
    "new_password": "Cyfrinair newydd",
    "password_hint": "O leiaf 12 nod. Mae tri neu bedwar gair nad ydynt yn perthyn i'w gilydd yn hawdd eu cofio "
    "ac yn anodd eu dyfalu; mae bylchau a phob llythyren yn cyfrif.",
    "forgotten": "Cyfrinair newydd",
    "forgotten_why": "Teipiwch y cyfeiriad yr ydych yn mewngofnodi ag ef. Os yw'n hysbys yma, anfonir neges gyda "
    "dolen iddo; mae'r ddolen yn dda am awr.",
    "forgotten_do": "Anfonwch ddolen ataf",
    "sent": "Edrychwch yn eich blwch post",
    "sent_why": "Os yw'r cyfeiriad hwn yn hysbys yma, mae neges ar ei ffordd iddo. Gall gymryd rhai munudau; "
    "edrychwch ymhlith y post diangen hefyd. Hyd nes i chi ddefnyddio'r ddolen, bydd eich cyfrinair yn aros fel y mae.",
    "password": "Dewiswch gyfrinair newydd",
    "password_why": "Wedyn byddwch wedi eich allgofnodi ym mhobman, a byddwch yn mewngofnodi gyda'r un newydd.",
    "password_do": "Gosod y cyfrinair",
    "password_set": "Mae eich cyfrinair wedi'i osod",
    "password_set_why": "Rydych wedi eich allgofnodi ym mhobman. Ewch yn ôl i'r ap neu'r dudalen y daethoch ohoni, "
    "a mewngofnodwch yno gyda'ch cyfrinair newydd.",
    "invitation": "Eich ffordd i mewn i Tandem",
    "invitation_why": "Mae {organisation} wedi eich gwahodd. Byddwch yn mewngofnodi gyda {email} a'r cyfrinair a "
    "ddewiswch yma.",
    "invitation_do": "Gwneud fy ffordd i mewn",
    "invitation_agree": "Mae gan y cyfrif hwn ffordd i mewn eisoes, neu mae sefydliad arall yn dod ag un iddo. "
    "Mewngofnodwch gyda honno, cytunwch i'r gwahoddiad hwn yno (mae eich ap yn ei restru ymhlith eich gwahoddiadau), "
    "ac yna agorwch y ddolen hon eto.",
    "invitation_wait": "Er diogelwch ei berchennog, mae cyfeiriad newydd ar gyfer y cyfrif hwn yn cyfrif ar ôl 72 "
    "awr, fel y gall pwy bynnag sy'n darllen ei gyfeiriadau cynharach wrthwynebu. Agorwch y ddolen hon eto o {moment} "
    "ymlaen.",
    "invited": "Gallwch fewngofnodi nawr",
    "invited_why": "Ewch i'r ap neu'r dudalen a enwodd eich sefydliad, a mewngofnodwch gyda {email}.",
    "invitation-refusal": "Atal y gwahoddiad hwn?",
    "invitation-refusal_why": "Mae {organisation} wedi anfon gwahoddiad i'r cyfrif hwn i {email}. Os nad eich "
    "cyfeiriad chi yw hwnnw, ataliwch ef.",
    "invitation-refusal_do": "Atal y gwahoddiad",
    "invitation_refused": "Mae'r gwahoddiad wedi'i atal",
    "invitation_refused_why": "Nid yw ei ddolen yn arwain i unman mwyach. Dywedwch wrth eich sefydliad fod y "
    "cyfeiriad yn anghywir.",
    "address": "Cadarnhewch eich cyfeiriad",
    "address_why": "O {moment} ymlaen byddwch yn mewngofnodi gyda {email}.",
    "address_do": "Cadarnhau",
    "address_confirmed": "Mae'r cyfeiriad wedi'i gadarnhau",
    "address_confirmed_why": "Byddwch yn mewngofnodi ag ef o {moment} ymlaen; tan hynny gyda'r cyfeiriad sydd gennych.",
    "address-refusal": "Atal newid y cyfeiriad?",
    "address-refusal_why": "Mae rhywun sydd wedi mewngofnodi fel chi am fewngofnodi gyda {email} yn y dyfodol. Os "
    "nad chi oedd, ataliwch ef: yna bydd pawb wedi'u hallgofnodi.",
    "address-refusal_do": "Atal",
    "address_refused": "Mae'r newid wedi'i atal",
    "address_refused_why": "Mae pawb wedi'u hallgofnodi o'ch cyfrif. Roedd pwy bynnag a ofynnodd yn gwybod eich "
    "cyfrinair: dewiswch un newydd nawr.",
    "link_over": "Mae'r ddolen hon wedi'i defnyddio, neu'n rhy hen. Gofynnwch am un arall lle cawsoch hi.",
    "form_over": "Bu'r dudalen hon ar agor yn rhy hir, neu fe'i hagorwyd mewn porwr arall. Agorwch y ddolen unwaith eto.",
    "weak_short": "Mae angen o leiaf 12 nod ar y cyfrinair: mae tri neu bedwar gair yn hawdd eu cofio.",
    "weak_long": "Mae gan y cyfrinair fwy na 256 nod.",
    "weak_control": "Ni chaiff y cyfrinair gynnwys nodau rheoli.",
    "weak_own": "Mae'r cyfrinair wedi'i wneud o'ch enw neu'ch cyfeiriad eich hun.",
    "weak_easy": "Mae'r cyfrinair yn un o'r rhai a ddyfelir gyntaf: cymerwch eiriau eraill, neu fwy ohonynt.",
    "wait_links": "Mae gormod o ymdrechion oddi yma wedi methu. Rhowch gynnig arall arni ymhen {minutes} munud.",
}

WORDS = {"en": ENGLISH, "cy": WELSH}
