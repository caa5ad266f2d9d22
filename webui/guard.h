/* Before any handler: is this request meant for us, who asks, and may they?
 * Over TCP: a Host of ours, a session's cookie or a token, no page of others behind a change, the
 * role or scope of the route, a recent password where the route wants one.  On the socket the
 * peer's credentials stand for an owner.  Thread: the panel's. */
#pragma once

#include "webui/exchange.h"
#include "webui/route.h"

/* Is Host one of our names?  False after 421 `wrong_host`: a name that somebody else let point here
 * would make a browser think that his pages and ours are one site's. */
bool guard_host(struct exchange *exchange);

/* False after answering.  route NULL: there is none for this path and method, and whoever has no
 * login is told 401, not which paths there are. */
bool guard_admit(struct exchange *exchange, const struct route *route);

/* Whether who was admitted once would be let in still, with the same role: for what lasts longer
 * than a request. */
bool guard_still_admits(const struct webui *webui, const struct caller *caller);

/* For handlers where only some requests of a route are dangerous; false after 403
 * `confirm_first`. */
bool guard_confirmed(struct exchange *exchange);

/* Whether the caller's role is at least that; tokens have no role. */
bool guard_is(const struct exchange *exchange, enum route_level level);

/* A role of at least that; or a token of such a role for anything of that kind ("destinations:"),
 * or for just that ("history:read"). */
bool guard_is_for(const struct exchange *exchange, enum route_level level, struct slice scope);
