/* The first owner: made by whoever can read the log or the run folder, with a code that is good
 * until it is used.  Thread: the panel's; setup_begin() the starting thread. */
#pragma once

#include "webui/exchange.h"

/* While there is no administrator: takes him out of a file (preseed.h), or makes a code. */
void setup_begin(struct webui *webui);

/* Makes a code, tells it in the log and in run_dir/setup-code. */
void setup_make_code(struct webui *webui);
