/* What an operator said of a recipient while it was being sent: noted in its entry, obeyed as soon
 * as that ends without delivery, whether or not it was an attempt.  Thread: the loop's. */
#pragma once

#include "relay/delivery/outcome.h"
#include "relay/schedule/operate.h"

/* entry is SENDING. */
void order_note(struct entry *entry, enum delivery_verb verb);

bool order_is_noted(const struct entry *entry);

/* What becomes of it, instead of another try; it is noted. */
struct judgement order_judgement(const struct entry *entry);

/* After an attempt: an order and its expiry come before another one. */
enum verdict order_instead_of_later(const struct schedule *schedule, const struct entry *entry,
                                    int64_t now_ms);
