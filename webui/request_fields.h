/* What header fields say about who asks and from where: cookies, bearer tokens, Host, Origin.
 * Strict: what could be read in two ways is not there.  Pure.  Thread: any. */
#pragma once

#include "relay/base/slice.h"

/* The value of the cookie of that name: RFC 6265 4.2.1.  False when it is not there, or twice. */
bool cookie_find(struct slice header, const char *name, struct slice *out);

/* RFC 6750 2.1: "Bearer" and a token68. */
bool bearer_find(struct slice header, struct slice *out);

/* Whether Host names this service: an address as it stands, "localhost", or our own name, each with
 * or without a port.  Another name is somebody's who let it point here (DNS rebinding). */
bool host_is_ours(struct slice host, struct slice hostname);

/* Whether Origin (RFC 6454 7) is the page that this host served itself. */
bool origin_is(struct slice origin, struct slice host, bool is_secure);

/* Whether Accept-Encoding (RFC 9110 12.5.3) takes gzip.  Without the header: no, for programs that
 * send none do not unpack either. */
bool gzip_is_accepted(struct slice header);
