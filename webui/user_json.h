/* An SMTP user as the API shows it: what is set (api_users.c), and how it is used
 * (api_user_use.c).  Thread: the panel's. */
#pragma once

#include "policy/quotas.h"
#include "webui/exchange.h"

json_t *user_json(const struct directory *directory, const struct user *user);
json_t *user_senders_json(const struct user *user);
json_t *user_limits_json(const struct user *user);

/* Answers 200 with body (taken), what is used of the user's quotas, what waits, and its day. */
void user_answer_with_use(struct exchange *exchange, const struct user *user, json_t *body);
