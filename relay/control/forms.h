/* What a text of the settings must look like, by the name that stands in the row's bounds: checked
 * while the line is known; the API asks, too.  Thread: any; pure but for "timezone". */
#pragma once

#include "relay/base/buffer.h"

/* An empty name means any text.  False: the sentence that says what is wrong goes to problem. */
bool form_check(const char *form, const char *text, struct buffer *problem);
