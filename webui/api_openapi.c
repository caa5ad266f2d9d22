/* The API's own description. */
#include "webui/embedded.h"
#include "webui/routes.h"

void api_openapi(struct exchange *exchange)
{
    exchange_answer_text(exchange, "application/json", SLICE_LITERAL(text_openapi));
}
