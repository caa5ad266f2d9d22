#include "policy/sessions.h"

#include "policy/policy_internal.h"

struct session_ticket {
    struct task task;      /* carries it home */
    struct policy *policy; /* NULL: it has stopped, nobody counts any more */
    struct list out;       /* among those not returned */
    uint64_t address_key, user_key;
};

static void run_done(struct task *task)
{
    struct session_request *request = (struct session_request *)(void *)task;

    request->done(request);
}

static void answer(struct session_request *request, enum session_verdict verdict)
{
    request->verdict = verdict;
    request->task.run = run_done;
    mailbox_answer(request->answer_to, &request->task);
}

static void run_open(struct task *task)
{
    struct session_request *request = (struct session_request *)(void *)task;
    struct policy *policy = request->policy;
    struct session_ticket *ticket = calloc(1, sizeof(*ticket));
    enum session_verdict verdict = SESSION_TOO_MANY;

    if (ticket)
        verdict = session_table_open(&policy->sessions, request->peer, &ticket->address_key);
    if (verdict == SESSION_OK) {
        ticket->policy = policy;
        list_append(&policy->tickets_out, &ticket->out);
    } else {
        free(ticket);
    }
    request->ticket = verdict == SESSION_OK ? ticket : NULL;
    answer(request, verdict);
}

bool session_open(struct policy *policy, struct session_request *request)
{
    request->policy = policy;
    request->task.run = run_open;
    return mailbox_post(policy->mailbox, &request->task);
}

static void run_use(struct task *task)
{
    struct session_request *request = (struct session_request *)(void *)task;

    answer(request, session_table_use(&request->policy->sessions, request->user_id,
                                      request->max_sessions, &request->ticket->user_key));
}

bool session_use(struct policy *policy, struct session_request *request)
{
    request->policy = policy;
    request->task.run = run_use;
    return mailbox_post(policy->mailbox, &request->task);
}

static void run_return(struct task *task)
{
    struct session_ticket *ticket = (struct session_ticket *)(void *)task;

    session_table_close(&ticket->policy->sessions, ticket->address_key, ticket->user_key);
    list_remove(&ticket->out);
    free(ticket);
}

void session_ticket_return(struct session_ticket *ticket)
{
    if (!ticket || !ticket->policy) {
        free(ticket);
        return;
    }
    ticket->task.run = run_return;
    mailbox_answer(ticket->policy->mailbox, &ticket->task);
}

void sessions_fini(struct policy *policy)
{
    struct list *out;

    while ((out = list_take_first(&policy->tickets_out)))
        CONTAINER_OF(out, struct session_ticket, out)->policy = NULL;
    session_table_fini(&policy->sessions);
}

const char *session_verdict_text(enum session_verdict verdict)
{
    static const char *const texts[] = {
        [SESSION_OK] = "ok",
        [SESSION_TOO_MANY] = "too many sessions",
        [SESSION_TOO_MANY_OF_ADDRESS] = "too many sessions from this address",
        [SESSION_TOO_MANY_OF_USER] = "too many sessions of this user",
    };

    return texts[verdict];
}
