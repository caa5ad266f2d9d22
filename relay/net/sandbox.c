#include "relay/net/sandbox.h"

#include "relay/base/event.h"

bool sandbox_lacks_user(const struct sandbox_got *got)
{
    return got->user != PRIVILEGES_DROPPED && (geteuid() == 0 || !got->paths.has_files);
}

static bool lacks_files(const struct sandbox_got *got)
{
    return !got->paths.has_files;
}

static bool lacks_ports(const struct sandbox_got *got)
{
    return got->paths.has_files && !got->paths.has_ports;
}

static bool lacks_calls(const struct sandbox_got *got)
{
    return got->calls == SYSTEM_CALLS_MISSING;
}

static bool is_sanitized(const struct sandbox_got *got)
{
    return got->calls == SYSTEM_CALLS_SANITIZED;
}

static const struct {
    bool (*is_so)(const struct sandbox_got *got);
    const char *sentence;
} lacks[] = {
    {lacks_files,  "the kernel has no Landlock: only users and rights keep files apart"     },
    {lacks_ports,  "the kernel's Landlock knows no ports (Linux 6.7 does): any may be used" },
    {lacks_calls,  "the kernel has no seccomp filters: every system call stays possible"    },
    {is_sanitized, "a sanitizer is built in, which needs every system call: none is refused"},
};

const char *sandbox_lack(const struct sandbox_got *got, unsigned *place)
{
    while (*place < sizeof(lacks) / sizeof(lacks[0])) {
        unsigned i = (*place)++;

        if (lacks[i].is_so(got))
            return lacks[i].sentence;
    }
    return NULL;
}

static void tell_user(const struct sandbox *sandbox, const struct sandbox_got *got)
{
    static const char *const reasons[] = {
        [PRIVILEGES_DROPPED] = "",
        [PRIVILEGES_KEPT_AS_ASKED] = "the settings name the user that started it",
        [PRIVILEGES_NOT_ROOT] = "not started as root",
        [PRIVILEGES_NO_SUCH_USER] = "no such user",
    };

    if (sandbox_lacks_user(got))
        EVENT(EVENT_NOT_CONFINED, field_text("process", sandbox->process),
              field_text("user", sandbox->user), field_text("reason", reasons[got->user]),
              field_text("landlock", got->paths.has_files ? "yes" : "missing"));
}

static void tell(const struct sandbox *sandbox, const struct sandbox_got *got)
{
    const char *sentence;
    unsigned place = 0;

    tell_user(sandbox, got);
    while ((sentence = sandbox_lack(got, &place)))
        EVENT(EVENT_NOT_CONFINED, field_text("process", sandbox->process),
              field_text("reason", sentence));
    EVENT(EVENT_CONFINED, field_text("process", sandbox->process),
          field_text("user", got->user == PRIVILEGES_DROPPED ? sandbox->user : NULL),
          field_number("landlock", got->paths.version),
          field_text("ports", got->paths.has_ports ? "yes" : "no"),
          field_text("calls", got->calls == 0 ? "yes" : "no"));
}

int sandbox_enter(const struct sandbox *sandbox, struct sandbox_got *got)
{
    struct confinement confinement = sandbox->confinement;
    int error = privileges_become(sandbox->user, &got->user);

    if (error == 0)
        error = privileges_hide_memory();
    if (sandbox->reads_system) /* what that is depends on who we are now */
        confinement.system = confinement_system();
    if (error == 0)
        error = confinement_enter(&confinement, &got->paths);
    if (error < 0)
        return error;
    got->calls = system_calls_confine(sandbox->role);
    if (got->calls < 0)
        return got->calls;
    tell(sandbox, got);
    return 0;
}
