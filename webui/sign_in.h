/* Open sessions: making one, and what is told of it.  Thread: the panel's. */
#pragma once

#include "webui/exchange.h"

/* Makes a session of the account, ends the one that the request came with, sets the cookie and
 * answers 200 with who is signed in.  hash: what the administrator's password was compared with;
 * 401 `wrong_login` when it is another by the time the session is stored; empty: no password was
 * asked for. */
void sign_in_finish(struct exchange *exchange, struct account account, struct slice hash);
