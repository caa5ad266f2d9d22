/* How long a session may be silent, how slow it may be, and how slow we are to one that errs. */
#include "relay/intake/session.h"

enum {
    HANDSHAKE_MS = 30000,
    RATE_WINDOW_MS = 60000,
    ERRORS_FREE = 3, /* people mistype; programs that go on get slower answers */
    ERROR_DELAY_MS = 1000,
    ERROR_DELAY_MOST_MS = 10000,
};

static int64_t silence_allowed(const struct session *session)
{
    const struct intake_settings *settings = &session->config->settings;

    if (session->wait == SESSION_WAITS_TLS)
        return HANDSHAKE_MS;
    if (session->smtp.is_reading_body)
        return settings->data_idle_ms;
    return session->user_id ? settings->idle_ms : settings->idle_before_login_ms;
}

/* Only progress moves the deadline: a command dribbled in byte by byte must end in time. */
void session_set_deadline(struct session *session)
{
    if (!session->made_progress && session->deadline.is_set)
        return;
    session->made_progress = false;
    timer_set(&session->deadline, silence_allowed(session));
}

static void on_deadline(struct timer *timer)
{
    struct session *session = CONTAINER_OF(timer, struct session, deadline);

    if (session->wait == SESSION_WAITS_PEER || session->wait == SESSION_WAITS_TLS) {
        session_end(session);
        return;
    }
    if (session->wait != SESSION_WAITS_INPUT) {
        timer_set(timer, silence_allowed(session)); /* it waits for us, not we for it */
        return;
    }
    smtp_server_timeout(&session->smtp);
    session_resume(session);
}

static void on_rate(struct timer *timer)
{
    struct session *session = CONTAINER_OF(timer, struct session, rate);
    uint64_t n_read = stream_bytes_read(session->stream);
    uint64_t least = session->config->settings.least_rate * (RATE_WINDOW_MS / 1000);

    if (!session->smtp.is_reading_body)
        return;
    if (session->wait == SESSION_WAITS_INPUT && n_read - session->rate_mark < least) {
        smtp_server_timeout(&session->smtp);
        session_resume(session);
        return;
    }
    session->rate_mark = n_read;
    timer_set(timer, RATE_WINDOW_MS);
}

void session_watch_rate(struct session *session)
{
    if (session->config->settings.least_rate == 0)
        return;
    session->rate_mark = stream_bytes_read(session->stream);
    timer_set(&session->rate, RATE_WINDOW_MS);
}

static void on_patience(struct timer *timer)
{
    session_resume(CONTAINER_OF(timer, struct session, patience));
}

bool session_must_be_slow(struct session *session)
{
    unsigned n_errors = session->smtp.n_errors;
    int64_t delay_ms;

    if (n_errors < session->n_errors_paid)
        session->n_errors_paid = n_errors; /* a message was accepted: all is forgiven */
    if (n_errors <= ERRORS_FREE || n_errors == session->n_errors_paid)
        return false;
    session->n_errors_paid = n_errors;
    delay_ms = (int64_t)(n_errors - ERRORS_FREE) * ERROR_DELAY_MS;
    timer_set(&session->patience,
              delay_ms < ERROR_DELAY_MOST_MS ? delay_ms : (int64_t)ERROR_DELAY_MOST_MS);
    session->wait = SESSION_WAITS_PATIENCE;
    return true;
}

void session_patience_init(struct session *session)
{
    timer_init(&session->deadline, session->shard->loop, on_deadline);
    timer_init(&session->patience, session->shard->loop, on_patience);
    timer_init(&session->rate, session->shard->loop, on_rate);
    session_quota_init(session);
}

void session_patience_fini(struct session *session)
{
    timer_cancel(&session->deadline);
    timer_cancel(&session->patience);
    timer_cancel(&session->rate);
}
