#include "policy/rule_words.h"

#include <stdio.h>
#include <string.h>

#include "policy/policy_internal.h"
#include "policy/registry_rule_words.h"

struct note {
    struct task task;
    struct policy *policy;
    struct rule_word word;
};

struct batch {
    struct rule_words_request request;
    struct policy *policy;
    struct rule_word words[RULE_WORDS_PENDING];
};

static bool is_same(const struct rule_word *word, const struct rule_word *other)
{
    return word->scope == other->scope && word->verb == other->verb &&
           strcmp(word->place, other->place) == 0 && strcmp(word->part, other->part) == 0;
}

static void store(struct policy *policy);

static void end(struct batch *batch)
{
    batch->policy->n_outstanding--;
    batch->policy->rule_words.is_storing = false;
    free(batch);
}

/* After a disk that failed, what waited is forgotten with a restart. */
static void on_stored(struct registry_request *request)
{
    struct batch *batch = CONTAINER_OF(request, struct batch, request.request);
    struct policy *policy = batch->policy;

    if (request->result != REGISTRY_OK)
        policy->rule_words.n_pending = 0;
    end(batch);
    store(policy);
}

static void store(struct policy *policy)
{
    struct rule_words *words = &policy->rule_words;
    struct batch *batch;

    if (words->is_storing || words->n_pending == 0)
        return;
    batch = calloc(1, sizeof(*batch));
    if (!batch)
        return;
    batch->policy = policy;
    memcpy(batch->words, words->pending, words->n_pending * sizeof(*words->pending));
    batch->request = (struct rule_words_request){
        .request = {.answer_to = policy->mailbox, .done = on_stored, .by = SLICE_LITERAL("rules")},
        .n_words = words->n_pending,
        .words = batch->words
    };
    words->n_pending = 0;
    words->is_storing = true;
    policy->n_outstanding++;
    if (!registry_store_rule_words(policy->registry, &batch->request))
        end(batch);
}

/* Its place among those pending; NULL: too many. */
static struct rule_word *room_for(struct rule_words *words, const struct rule_word *word)
{
    if (!words->pending)
        words->pending = calloc(RULE_WORDS_PENDING, sizeof(*words->pending));
    for (uint32_t i = 0; words->pending && i < words->n_pending; i++)
        if (is_same(&words->pending[i], word))
            return &words->pending[i];
    if (!words->pending || words->n_pending == RULE_WORDS_PENDING)
        return NULL;
    return &words->pending[words->n_pending++];
}

/* What was noted of the place before is not to come after its end. */
static void drop_pending(struct rule_words *words, const char *place)
{
    uint32_t n_kept = 0;

    for (uint32_t i = 0; i < words->n_pending; i++)
        if (strcmp(words->pending[i].place, place) != 0)
            words->pending[n_kept++] = words->pending[i];
    words->n_pending = n_kept;
}

static void run_note(struct task *task)
{
    struct note *note = CONTAINER_OF(task, struct note, task);
    struct policy *policy = note->policy;
    struct rule_word *room;

    if (note->word.verb == N_RULE_VERBS)
        drop_pending(&policy->rule_words, note->word.place);
    room = room_for(&policy->rule_words, &note->word);
    if (room)
        *room = note->word;
    free(note);
    if (!policy->rule_words.is_closed)
        store(policy);
}

void rule_words_note(struct policy *policy, const struct rule_word *word)
{
    struct note *note = calloc(1, sizeof(*note));

    if (!note)
        return;
    *note = (struct note){{.run = run_note}, policy, *word};
    mailbox_answer(policy->mailbox, &note->task);
}

void rule_words_forget(struct policy *policy, struct slice place)
{
    struct rule_word word = {.verb = N_RULE_VERBS};

    if (slice_copy_to(place, word.place, sizeof(word.place)))
        rule_words_note(policy, &word);
}

void rule_words_stop(struct policy *policy)
{
    store(policy);
    policy->rule_words.is_closed = true;
}

void rule_words_fini(struct policy *policy)
{
    free(policy->rule_words.pending);
}
