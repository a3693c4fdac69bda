"use strict";

// Tells the documentation what came of signing in; the code does not stay in the address.
const channel = new BroadcastChannel("tandem-sign-in");
channel.postMessage(location.search);
history.replaceState(null, "", location.pathname);
window.close();
