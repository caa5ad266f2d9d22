/* How an exchange's answer leaves: bytes, header fields, files of the panel.  server*.c alone. */
#pragma once

#include <microhttpd.h>

#include "webui/exchange.h"

enum MHD_Result server_send(struct exchange *exchange);
void server_add_headers(const struct exchange *exchange, struct MHD_Response *response);
