/* What became of recipients, for those who count: users (the brake for stolen passwords looks at
 * bad mailboxes) and sending domains (mail to personal mailboxes, policy/personal_mail.h).  Added
 * up in the loop's tally, told a few times a second.
 * Thread: the loop's. */
#pragma once

struct outcome;
struct outcome_item;

void ledger_note(const struct outcome *outcome, const struct outcome_item *item);
