/* What reply rules did for a time, over a restart: told to policy/rule_words.h when it is done,
 * read at the start, and in force again when the site, the provider or the mail that it is about
 * turns up.  A word is used by the one loop that owns its place. Thread: the load: before the loops
 * run; the rest: the loop's. */
#pragma once

#include "policy/rule_words.h"
#include "relay/delivery/dispatch.h"

struct provider;

/* What was read cannot be used is passed over: mail does not wait for it. */
void kept_words_load(struct delivery *delivery, struct registry *registry);
void kept_words_free(struct delivery *delivery);

/* A site or a provider was made; the loop has its first snapshot of users, so mail will come. */
void kept_words_meet_site(struct delivery_shard *shard, struct site *site);
void kept_words_meet_provider(struct delivery_shard *shard, struct provider *provider);
void kept_words_meet_mail(struct delivery_shard *shard);

/* This was done; dispatch: the mail it was heard with, or NULL. */
void kept_words_note(const struct delivery_shard *shard, const struct lane *lane,
                     const struct rule_action *action, const struct dispatch *dispatch,
                     const char *reason);

/* An operator took back what was done to the site or provider of that name. */
void kept_words_forget(const struct delivery_shard *shard, struct slice place);

/* One of our addresses, by its name in the settings or its address; empty: the kernel's choice. */
struct slice kept_words_address(const struct delivery_shard *shard, uint32_t egress,
                                char text[IP_TEXT_SIZE]);
