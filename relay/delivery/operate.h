/* What operators may ask of the mail under way; the words are in relay/schedule/operate.h.
 * Thread: ask from any; done() runs on the asker's.  False: busy, nothing happened. */
#pragma once

#include "relay/schedule/operate.h"

struct delivery;

MUST_USE bool delivery_command(struct delivery *delivery, struct delivery_command *command);
MUST_USE bool delivery_sending(struct delivery *delivery, struct delivery_sending *request);
MUST_USE bool delivery_destinations(struct delivery *delivery,
                                    struct delivery_destinations *request);
MUST_USE bool delivery_domains(struct delivery *delivery, struct delivery_domains *request);
MUST_USE bool delivery_lift(struct delivery *delivery, struct delivery_lift *request);
MUST_USE bool delivery_why(struct delivery *delivery, struct delivery_why *request);
MUST_USE bool delivery_path(struct delivery *delivery, struct delivery_path *request);
