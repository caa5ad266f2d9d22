#include "relay/cli/verbs.h"

#include <string.h>

#include "relay/cli/nouns.h"
#include "relay/cli/options.h"

#define MANY ARGUMENTS_MAX

#define NEW_USER   "generate password-stdin hash-stdin sender= network="
#define NEW_SECRET "generate password-stdin hash-stdin"
#define FILTER     "dest= user= state= from= limit="
#define SELECTION  "dest= user= from= all"
#define ORDER      SELECTION " campaign= dry-run reason="
#define KEY        "selector= type= import="

#define HELP_USER                                                                                  \
    "NAME [--generate | --password-stdin | --hash-stdin] [--sender ADDRESS|DOMAIN|'*']… "        \
    "[--network CIDR]…"
#define HELP_SECRET "NAME --generate | --password-stdin | --hash-stdin"
#define HELP_LIMIT                                                                                   \
    "NAME [OPTION=VALUE]… [--sender ADDRESS|DOMAIN|'*']…   sessions, recipients, message_size, " \
    "weight, trace, bounces, class, default_class, must_sign, brake, refuse_over_quota, contact, "   \
    "messages_per_minute|hour|day|month, recipients_per_minute|hour|day|month, "                     \
    "transactional_per_hour"
#define HELP_CONFIG  "[--changed] [--explain]"
#define HELP_KEY     "DOMAIN [--selector S] [--type rsa2048|ed25519|both] [--import PEM-FILE]"
#define HELP_DNS     "DOMAIN [--selector S]"
#define HELP_FILTER  "[--dest D] [--user U] [--state S] [--from A] [--limit N]"
#define HELP_REBUILD "[--config FILE]   with the service stopped"
#define HELP_SELECT  "ID… | - | --dest D | --user U | --from S | --all"
#define HELP_ORDER   HELP_SELECT " | --campaign C (with --user U or --all)   [--reason R] [--dry-run]"

/* Whom an order is about. */
#define SUBJECT "provider= user= campaign= address="
#define STANDS  SUBJECT " reason= for="
#define WAY     STANDS " via="
#define SLOWLY  STANDS " connections= per-second= per-minute= per-hour= per-day="
#define WHICH   SUBJECT " order="

#define WHOSE        "user= all-users"
#define HOLD         WHOSE " reason= for="
#define STOP         WHOSE " bounce delete dry-run reason="
#define HELP_WHOSE   "NAME --user U | --all-users"
#define HELP_HOLD    HELP_WHOSE "   [--reason R] [--for 2h]"
#define HELP_STOP    HELP_WHOSE "   --bounce | --delete [--reason R] [--dry-run]"
#define HELP_SUBJECT "NAME | --provider P | --user U | --campaign U/NAME | --address A"
#define HELP_SUSPEND HELP_SUBJECT "   --reason R [--for 2h]"
#define HELP_REROUTE HELP_SUSPEND " --via HOST[:PORT]|pool:NAME"
#define HELP_THROTTLE                                                                              \
    HELP_SUSPEND " [--connections N] [--per-second N] [--per-minute N] [--per-hour N] [--per-day " \
                 "N]"
#define HELP_RESUME HELP_SUBJECT "   [--order suspend|throttle|reroute]"

#define LINES      "limit= level= event= text= follow"
#define ROWS       "limit= from= to="
#define HELP_LINES "[--limit N] [--level L] [--event E] [--text T] [--follow]"
#define HELP_ROWS                                                                                  \
    "[WORD]… [--from TIME] [--to TIME] [--limit N]   to: from: user: dest: state: msgid: reply: …"

#define FORECAST      "plan= config= latency= addresses="
#define HELP_FORECAST "--plan FILE [--config FILE] [--latency MILLISECONDS] [--addresses N]"

const struct verb verbs[] = {
    {"config",      "check",      0, 1,    "config=",         config_check_main,    "[FILE]"                                    },
    {"config",      "show",       0, 0,    "changed explain", config_show_main,     HELP_CONFIG                                 },
    {"config",      "built-in",   1, 1,    "",                config_built_in,      "providers|reply_rules|bounce_classes"      },
    {"user",        "add",        1, 1,    NEW_USER,          user_add,             HELP_USER                                   },
    {"user",        "list",       0, 0,    "",                user_list,            ""                                          },
    {"user",        "show",       1, 1,    "",                user_show,            "NAME"                                      },
    {"user",        "password",   1, 1,    NEW_SECRET,        user_password,        HELP_SECRET                                 },
    {"user",        "enable",     1, 1,    "",                user_enable,          "NAME"                                      },
    {"user",        "disable",    1, 1,    "",                user_disable,         "NAME"                                      },
    {"user",        "delete",     1, 1,    "",                user_delete,          "NAME"                                      },
    {"user",        "limit",      1, MANY, "sender=",         user_limit,           HELP_LIMIT                                  },
    {"admin",       "list",       0, 0,    "",                admin_list,           ""                                          },
    {"admin",       "setup-code", 0, 0,    "",                admin_setup_code,     ""                                          },
    {"admin",       "reset",      1, 1,    "",                admin_reset,          "NAME"                                      },
    {"campaign",    "list",       0, 0,    "",                campaign_list,        ""                                          },
    {"egress",      "list",       0, 0,    "",                egress_list,          ""                                          },
    {"network",     "add",        1, 1,    "user=",           network_add,          "CIDR --user NAME"                          },
    {"network",     "list",       0, 0,    "",                network_list,         ""                                          },
    {"network",     "delete",     1, 1,    "",                network_delete,       "CIDR"                                      },
    {"domain",      "add",        1, 1,    "require-signing", domain_add,           "DOMAIN [--require-signing]"                },
    {"domain",      "list",       0, 0,    "",                domain_list,          ""                                          },
    {"domain",      "check",      1, 1,    "",                domain_check,         "DOMAIN"                                    },
    {"domain",      "delete",     1, 1,    "",                domain_delete,        "DOMAIN"                                    },
    {"dkim",        "new",        1, 1,    KEY,               dkim_new,             HELP_KEY                                    },
    {"dkim",        "dns",        1, 1,    "selector=",       dkim_dns,             HELP_DNS                                    },
    {"dkim",        "list",       0, 0,    "",                dkim_list,            ""                                          },
    {"queue",       "list",       0, 0,    FILTER,            queue_list,           HELP_FILTER                                 },
    {"queue",       "summary",    0, 0,    "",                queue_summary,        ""                                          },
    {"queue",       "why",        1, 1,    "",                queue_why,            "ID|DOMAIN"                                 },
    {"queue",       "rebuild",    0, 0,    "config=",         queue_rebuild,        HELP_REBUILD                                },
    {"queue",       "show",       0, MANY, SELECTION,         queue_show,           HELP_SELECT                                 },
    {"queue",       "retry",      0, MANY, ORDER,             queue_retry,          HELP_ORDER                                  },
    {"queue",       "hold",       0, MANY, ORDER,             queue_hold,           HELP_ORDER                                  },
    {"queue",       "release",    0, MANY, ORDER,             queue_release,        HELP_ORDER                                  },
    {"queue",       "requeue",    0, MANY, ORDER,             queue_requeue,        HELP_ORDER                                  },
    {"queue",       "bounce",     0, MANY, ORDER,             queue_bounce,         HELP_ORDER                                  },
    {"queue",       "delete",     0, MANY, ORDER,             queue_delete,         HELP_ORDER                                  },
    {"destination", "list",       0, 0,    "",                destination_list,     ""                                          },
    {"destination", "show",       1, 1,    "",                destination_show,     "NAME"                                      },
    {"destination", "orders",     0, 0,    "",                destination_orders,   ""                                          },
    {"destination", "suspend",    0, 1,    STANDS,            destination_suspend,  HELP_SUSPEND                                },
    {"destination", "throttle",   0, 1,    SLOWLY,            destination_throttle, HELP_THROTTLE                               },
    {"destination", "reroute",    0, 1,    WAY,               destination_reroute,  HELP_REROUTE                                },
    {"destination", "resume",     0, 1,    WHICH,             destination_resume,   HELP_RESUME                                 },
    {"log",         "tail",       0, 0,    LINES,             log_tail,             HELP_LINES                                  },
    {"log",         "search",     0, MANY, ROWS,              log_search,           HELP_ROWS                                   },
    {"stats",       NULL,         0, 0,    "by= personal",    stats,                "[--by user|provider|campaign] | --personal"},
    {"campaign",    "hold",       1, 1,    HOLD,              campaign_hold,        HELP_HOLD                                   },
    {"campaign",    "release",    1, 1,    WHOSE,             campaign_release,     HELP_WHOSE                                  },
    {"campaign",    "stop",       1, 1,    STOP,              campaign_stop,        HELP_STOP                                   },
    {"health",      NULL,         0, 0,    "",                health,               ""                                          },
    {"test",        "path",       1, 1,    "egress=",         test_path,            "ADDRESS|DOMAIN [--egress NAME|ADDRESS]"    },
    {"test",        "shaping",    0, 0,    FORECAST,          test_shaping,         HELP_FORECAST                               },
    {"version",     NULL,         0, 0,    "",                version,              ""                                          },
};
const size_t n_verbs = sizeof(verbs) / sizeof(verbs[0]);

const struct verb *verb_find(const char *noun, const char *name)
{
    for (size_t i = 0; i < n_verbs; i++)
        if (strcmp(verbs[i].noun, noun) == 0 &&
            (!verbs[i].name || (name && strcmp(verbs[i].name, name) == 0)))
            return &verbs[i];
    return NULL;
}

bool verb_has_noun(const char *noun)
{
    for (size_t i = 0; i < n_verbs; i++)
        if (strcmp(verbs[i].noun, noun) == 0)
            return true;
    return false;
}
