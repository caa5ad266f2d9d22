/* Every event, in one table: its name in the log is a contract (CHANGELOG lists new ones).
 * A new fact gets a row here; nothing prints a name of its own. */
#pragma once

#define EVENT_LIST(X)                                                                              \
    /* the service */                                                                              \
    X(EVENT_LISTENING, "listening", INFO)                                                          \
    X(EVENT_READY, "ready", INFO)                                                                  \
    X(EVENT_DRAINING, "draining", INFO)                                                            \
    X(EVENT_STOPPED, "stopped", INFO)                                                              \
    X(EVENT_RELOADED, "reloaded", INFO)                                                            \
    X(EVENT_RELOAD_FAILED, "reload_failed", ERROR)                                                 \
    X(EVENT_RECEIVERS_REFUSED, "receivers_refused", ERROR)                                         \
    X(EVENT_RESTART_NEEDED, "restart_needed", WARNING)                                             \
    X(EVENT_CHILD_STARTED, "child_started", INFO)                                                  \
    X(EVENT_CHILD_ENDED, "child_ended", ERROR)                                                     \
    X(EVENT_START_FAILED, "start_failed", ERROR)                                                   \
    X(EVENT_FILE_LIMIT, "file_limit", WARNING)                                                     \
    X(EVENT_CONFINED, "confined", INFO)                                                            \
    X(EVENT_NOT_CONFINED, "not_confined", WARNING)                                                 \
    X(EVENT_CALL_REFUSED, "call_refused", WARNING)                                                 \
    X(EVENT_CERTIFICATE_LOADED, "certificate_loaded", INFO)                                        \
    X(EVENT_CERTIFICATE_FAILED, "certificate_failed", ERROR)                                       \
    X(EVENT_SELF_SIGNED, "self_signed", WARNING)                                                   \
    X(EVENT_CLOCK_JUMPED, "clock_jumped", WARNING)                                                 \
    X(EVENT_HISTORY_GAP, "history_gap", WARNING)                                                   \
    X(EVENT_HISTORY_FAILED, "history_failed", ERROR)                                               \
    X(EVENT_HISTORY_MENDED, "history_mended", WARNING)                                             \
    X(EVENT_FAULT, "fault", DEBUG)                                                                 \
    /* submission */                                                                               \
    X(EVENT_CONNECTED, "connected", DEBUG)                                                         \
    X(EVENT_SESSION_REFUSED, "session_refused", WARNING)                                           \
    X(EVENT_TLS_FAILED, "tls_failed", INFO)                                                        \
    X(EVENT_LOGIN, "login", INFO)                                                                  \
    X(EVENT_LOGIN_FAILED, "login_failed", WARNING)                                                 \
    X(EVENT_REFUSED, "refused", INFO)                                                              \
    X(EVENT_SUPPRESSED, "suppressed", WARNING)                                                     \
    X(EVENT_QUEUED, "queued", INFO)                                                                \
    X(EVENT_LONG_LINES, "long_lines", INFO)                                                        \
    X(EVENT_QUOTA_WARNING, "quota_warning", WARNING)                                               \
    X(EVENT_QUOTA_NOT_STORED, "quota_not_stored", ERROR)                                           \
    X(EVENT_CLASS_EXCEEDED, "class_exceeded", WARNING)                                             \
    X(EVENT_USER_BRAKED, "user_braked", ERROR)                                                     \
    X(EVENT_BULK_SENDER_WARNING, "bulk_sender_warning", WARNING)                                   \
    /* recipients */                                                                               \
    X(EVENT_DELIVERED, "delivered", INFO)                                                          \
    X(EVENT_DEFERRED, "deferred", INFO)                                                            \
    X(EVENT_HELD, "held", INFO)                                                                    \
    X(EVENT_RELEASED, "released", INFO)                                                            \
    X(EVENT_BOUNCED, "bounced", INFO)                                                              \
    X(EVENT_EXPIRED, "expired", INFO)                                                              \
    X(EVENT_DELETED, "deleted", INFO)                                                              \
    X(EVENT_DOUBTFUL, "doubtful", WARNING)                                                         \
    X(EVENT_REPORT_SENT, "report_sent", INFO)                                                      \
    /* delivery */                                                                                 \
    X(EVENT_UNSIGNED, "unsigned", WARNING)                                                         \
    X(EVENT_SIGNED, "signed", DEBUG)                                                               \
    X(EVENT_TLS_FALLBACK, "tls_fallback", WARNING)                                                 \
    X(EVENT_EGRESS_NAME, "egress_name", INFO)                                                      \
    X(EVENT_HOST_DEAD, "host_dead", INFO)                                                          \
    X(EVENT_DNS_UNVALIDATED, "dns_unvalidated", WARNING)                                           \
    X(EVENT_RULE_APPLIED, "rule_applied", WARNING)                                                 \
    X(EVENT_WARM_UP_ADVANCED, "warm_up_advanced", INFO)                                            \
    X(EVENT_WARM_UP_STEPPED_BACK, "warm_up_stepped_back", WARNING)                                 \
    X(EVENT_WARM_UP_NOT_STORED, "warm_up_not_stored", ERROR)                                       \
    X(EVENT_DESTINATION_SUSPENDED, "destination_suspended", INFO)                                  \
    X(EVENT_DESTINATION_THROTTLED, "destination_throttled", INFO)                                  \
    X(EVENT_DESTINATION_REROUTED, "destination_rerouted", INFO)                                    \
    X(EVENT_DESTINATION_RESUMED, "destination_resumed", INFO)                                      \
    /* the signer */                                                                               \
    X(EVENT_SIGNER_UP, "signer_up", INFO)                                                          \
    X(EVENT_SIGNER_LOST, "signer_lost", ERROR)                                                     \
    X(EVENT_SIGNER_MISUSED, "signer_misused", ERROR)                                               \
    X(EVENT_KEY_CREATED, "key_created", INFO)                                                      \
    X(EVENT_KEY_ACTIVE, "key_active", INFO)                                                        \
    X(EVENT_KEY_REFUSED, "key_refused", ERROR)                                                     \
    X(EVENT_SIGNATURE_WRONG, "signature_wrong", ERROR)                                             \
    X(EVENT_RECORD_DAMAGED, "record_damaged", ERROR)                                               \
    /* the queue */                                                                                \
    X(EVENT_SPOOL_RECOVERED, "spool_recovered", INFO)                                              \
    X(EVENT_SPOOL_FAILED, "spool_failed", ERROR)                                                   \
    X(EVENT_SPOOL_REWRITTEN, "spool_rewritten", WARNING)                                           \
    X(EVENT_SPACE_LOW, "space_low", WARNING)                                                       \
    X(EVENT_SPACE_OK, "space_ok", INFO)                                                            \
    X(EVENT_SEGMENT_COMPACTED, "segment_compacted", INFO)                                          \
    /* administration */                                                                           \
    X(EVENT_USER_CHANGED, "user_changed", INFO)                                                    \
    X(EVENT_NETWORK_CHANGED, "network_changed", INFO)                                              \
    X(EVENT_DOMAIN_CHANGED, "domain_changed", INFO)                                                \
    X(EVENT_ADMIN_CHANGED, "admin_changed", INFO)                                                  \
    X(EVENT_TOKEN_CHANGED, "token_changed", INFO)                                                  \
    X(EVENT_SETUP_CODE, "setup_code", WARNING)                                                     \
    X(EVENT_PRESEEDED, "preseeded", INFO)                                                          \
    X(EVENT_PRESEED_REFUSED, "preseed_refused", ERROR)                                             \
    X(EVENT_PANEL_LOGIN, "panel_login", INFO)                                                      \
    X(EVENT_PANEL_LOGIN_FAILED, "panel_login_failed", WARNING)                                     \
    X(EVENT_AUDIT_LOST, "audit_lost", ERROR)                                                       \
    X(EVENT_QUEUE_COMMAND, "queue_command", INFO)

enum event_level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARNING, LEVEL_ERROR };

enum event_kind {
#define EVENT_ENUM(kind, name, level) kind,
    EVENT_LIST(EVENT_ENUM)
#undef EVENT_ENUM
        N_EVENTS
};
