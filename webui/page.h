/* The panel's files, over TCP, to anybody: they hold nothing but the program.  Thread: the panel's.
 */
#pragma once

#include "webui/exchange.h"

/* Answers a GET of a file, or of a page's own path with index.html; false: this is no page's path.
 */
bool page_answer(struct exchange *exchange);
