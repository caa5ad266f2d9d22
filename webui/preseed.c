#include "webui/preseed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/imported_hash.h"
#include "relay/base/event.h"
#include "relay/base/file.h"
#include "relay/base/secret.h"
#include "webui/exchange.h"
#include "webui/setup.h"

enum { MOST_BYTES = 8192 };

struct preseed {
    struct access_request access;
    struct audit_request audit;
    struct webui *webui;
    json_t *file; /* the texts above are its */
    char after[128];
};

static void refuse(const char *path, const char *reason)
{
    EVENT(EVENT_PRESEED_REFUSED, field_text("file", path), field_text("reason", reason));
}

static void end(struct preseed *preseed)
{
    preseed->webui->n_waiting--;
    json_decref(preseed->file);
    free(preseed);
}

/* ---- the file ---- */

/* NULL when it is ours alone to read and write. */
static const char *judge(int fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return strerror(errno);
    if (!S_ISREG(status.st_mode))
        return "it is no file";
    if (status.st_uid != 0 && status.st_uid != geteuid())
        return "it belongs to somebody else";
    if (status.st_mode & (S_IRWXO | S_IWGRP | S_IXGRP))
        return "its mode lets others read it or the group write it: chmod 0640";
    return NULL;
}

/* NULL after telling why; without a file nothing is told. */
static json_t *read_file(const char *path)
{
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    CLEANUP(buffer) struct buffer text = BUFFER_INIT;
    const char *reason = fd < 0 ? strerror(errno) : judge(fd);
    json_t *file;

    if (fd < 0 && errno == ENOENT)
        return NULL;
    if (!reason && file_read_all(fd, MOST_BYTES, &text) < 0)
        reason = "it cannot be read, or is too long";
    if (reason) {
        refuse(path, reason);
        return NULL;
    }
    file = json_loadb(text.data ? text.data : "", text.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(file))
        refuse(path, "it is no JSON object");
    return file;
}

static struct slice member(const struct preseed *preseed, const char *name)
{
    return slice_of(json_string_value(json_object_get(preseed->file, name)));
}

static const char *judge_members(const struct preseed *preseed)
{
    const char *name;
    json_t *value;

    json_object_foreach(preseed->file, name, value)
    {
        if ((strcmp(name, "user") != 0 && strcmp(name, "hash") != 0 &&
             strcmp(name, "language") != 0) ||
            !json_is_string(value))
            return "it may hold the texts user, hash and language, and nothing else";
    }
    if (!member(preseed, "user").len)
        return "it names no user";
    if (!imported_hash_is_native(member(preseed, "hash")))
        return "hash is none of $argon2id$v=19$m=19456,t=2,p=1$";
    return NULL;
}

/* ---- the administrator ---- */

static void on_audited(struct registry_request *request)
{
    end(CONTAINER_OF(CONTAINER_OF(request, struct audit_request, request), struct preseed, audit));
}

static void audit(struct preseed *preseed)
{
    preseed->audit = (struct audit_request){
        .request = {.answer_to = preseed->webui->mailbox,
                    .done = on_audited,
                    .by = SLICE_LITERAL("preseed")},
        .origin = SLICE_LITERAL("file"),
        .action = SLICE_LITERAL("POST /setup"),
        .object = preseed->access.name,
        .after = SLICE_LITERAL("{\"role\":\"owner\"}"),
    };
    if (!registry_audit(preseed->webui->parts.registry, &preseed->audit))
        end(preseed);
}

static void on_language(struct registry_request *request)
{
    struct preseed *preseed =
        CONTAINER_OF(CONTAINER_OF(request, struct access_request, request), struct preseed, access);

    access_take_book(&preseed->webui->access, &preseed->access);
    audit(preseed);
}

static void on_made(struct registry_request *request)
{
    struct preseed *preseed =
        CONTAINER_OF(CONTAINER_OF(request, struct access_request, request), struct preseed, access);
    struct webui *webui = preseed->webui;
    const struct admin *admin;

    access_take_book(&webui->access, &preseed->access);
    if (request->result != REGISTRY_OK) {
        refuse(webui->parts.settings->panel.preseed, request->sentence);
        setup_make_code(webui);
        end(preseed);
        return;
    }
    EVENT(EVENT_PRESEEDED, field_slice("admin", preseed->access.name),
          field_text("file", webui->parts.settings->panel.preseed));
    admin = access_book_admin(webui->access.book, preseed->access.name);
    preseed->access.account = (struct account){ACCOUNT_ADMIN, admin ? admin->id : 0};
    request->done = on_language;
    if (!registry_access(webui->parts.registry, ACCESS_SET_PREFERENCES, &preseed->access))
        audit(preseed);
}

static bool order(struct preseed *preseed)
{
    struct access_request *access = &preseed->access;

    access->request.answer_to = preseed->webui->mailbox;
    access->request.done = on_made;
    access->request.by = SLICE_LITERAL("preseed");
    access->name = member(preseed, "user");
    access->hash = member(preseed, "hash");
    access->language =
        slice_of(slice_equal(member(preseed, "language"), SLICE_LITERAL("it")) ? "it" : "en");
    access->theme = slice_of("");
    return registry_access(preseed->webui->parts.registry, ACCESS_FIRST_ADMIN, access);
}

bool preseed_begin(struct webui *webui)
{
    const char *path = webui->parts.settings->panel.preseed, *reason;
    json_t *file = *path ? read_file(path) : NULL;
    struct preseed *preseed = json_is_object(file) ? calloc(1, sizeof(*preseed)) : NULL;

    if (!preseed) {
        json_decref(file);
        return false;
    }
    preseed->webui = webui;
    preseed->file = file;
    webui->n_waiting++;
    reason = judge_members(preseed);
    if (!reason && order(preseed))
        return true;
    refuse(path, reason ? reason : "the service is too busy");
    end(preseed);
    return false;
}
