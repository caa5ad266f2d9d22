#include "test/support/test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sql/queue_schema.h"

/* ---- a small database of the test's own ---- */

enum test_statement { ADD_THING, ALL_THINGS, COUNT_THINGS, N_TEST_STATEMENTS };

static const char *const migrations[] = {
    "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB);",
    "ALTER TABLE thing ADD COLUMN size INTEGER NOT NULL DEFAULT 7;",
};

static const char queries[] = "-- a comment\n"
                              "-- name: add_thing\n"
                              "INSERT INTO thing (id, name, data) VALUES (?1, ?2, ?3);\n"
                              "-- name: all_things\n"
                              "SELECT id, name, data, size FROM thing ORDER BY id;\n"
                              "-- name: count_things\n"
                              "SELECT count(*) FROM thing;\n";

static const char *const names[] = {"add_thing", "all_things", "count_things"};

static const struct db_schema things = {.name = "things",
                                        .migrations = migrations,
                                        .n_migrations = 2,
                                        .queries = queries,
                                        .names = names,
                                        .n_names = N_TEST_STATEMENTS};

static char dir[64], path[128];

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/sql-test.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/things.db", dir);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const endings[] = {"", "-wal", "-shm"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char file[160];

        snprintf(file, sizeof(file), "%s%s", path, endings[i]);
        (void)unlink(file);
    }
    return rmdir(dir);
}

static struct db *open_with(const struct db_schema *schema)
{
    struct db *db = NULL;

    assert_int_equal(db_open(&db, path, schema, DB_WRITE, NULL), 0);
    return db;
}

static int add(struct db *db, int64_t id, const char *name)
{
    struct statement *statement = db_statement(db, ADD_THING);

    bind_number(statement, 1, id);
    bind_text(statement, 2, slice_of(name));
    return statement_run(statement);
}

static int64_t count(struct db *db)
{
    struct statement *statement = db_statement(db, COUNT_THINGS);
    int64_t n;

    assert_int_equal(statement_step(statement), STATEMENT_ROW);
    n = column_number(statement, 0);
    statement_reset(statement);
    return n;
}

static void values_come_back_by_type(void **state)
{
    struct db *db = open_with(&things);
    struct statement *statement = db_statement(db, ADD_THING);

    (void)state;
    bind_number(statement, 1, INT64_MAX);
    bind_text(statement, 2, SLICE_LITERAL("na\xc3\xafve"));
    bind_blob(statement, 3, SLICE_LITERAL("a\0b"));
    assert_int_equal(statement_run(statement), 0);
    assert_int_equal(db_changes(db), 1);
    statement = db_statement(db, ALL_THINGS);
    assert_int_equal(statement_step(statement), STATEMENT_ROW);
    assert_true(column_number(statement, 0) == INT64_MAX);
    assert_slice_is(column_text(statement, 1), "na\xc3\xafve");
    assert_true(slice_equal(column_blob(statement, 2), SLICE_LITERAL("a\0b")));
    assert_int_equal(column_number(statement, 3), 7);
    assert_int_equal(statement_step(statement), STATEMENT_DONE);
    db_close(db);
}

static void parameters_are_null_unless_bound(void **state)
{
    struct db *db = open_with(&things);
    struct statement *statement;

    (void)state;
    assert_int_equal(add(db, 1, "one"), 0);
    assert_int_equal(statement_run(db_statement(db, ADD_THING)), 0);
    statement = db_statement(db, ALL_THINGS);
    assert_int_equal(statement_step(statement), STATEMENT_ROW);
    assert_int_equal(statement_step(statement), STATEMENT_ROW);
    assert_true(column_is_null(statement, 1));
    db_close(db);
}

static void a_rolled_back_transaction_leaves_nothing(void **state)
{
    struct db *db = open_with(&things);

    (void)state;
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(add(db, 1, "one"), 0);
    db_rollback(db);
    assert_int_equal(count(db), 0);
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(add(db, 1, "one"), 0);
    assert_int_equal(db_commit(db), 0);
    assert_int_equal(count(db), 1);
    db_close(db);
}

static void a_constraint_is_told_apart(void **state)
{
    struct db *db = open_with(&things);

    (void)state;
    assert_int_equal(add(db, 1, "one"), 0);
    assert_int_equal(add(db, 2, "one"), -EEXIST);
    assert_int_equal(add(db, 2, "two"), 0);
    db_close(db);
}

static void migrations_run_once_and_keep_rows(void **state)
{
    struct db_schema first = things;
    struct db *db;

    (void)state;
    first.n_migrations = 1;
    first.queries = "-- name: add_thing\nINSERT INTO thing (id, name) VALUES (?1, ?2);\n";
    first.n_names = 1;
    db = open_with(&first);
    assert_int_equal(add(db, 1, "one"), 0);
    db_close(db);
    db = open_with(&things);
    assert_int_equal(count(db), 1);
    db_close(db);
    db = open_with(&things);
    assert_int_equal(count(db), 1);
    db_close(db);
}

static void a_migration_that_fails_changes_nothing(void **state)
{
    static const char *const wrong[] = {
        "CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB);",
        "ALTER TABLE thing ADD COLUMN size INTEGER; ALTER TABLE nothing ADD COLUMN x;"};
    struct db_schema schema = things;
    struct db *db = NULL;

    (void)state;
    schema.migrations = wrong;
    assert_int_equal(db_open(&db, path, &schema, DB_WRITE, NULL), -EINVAL);
    db = open_with(&things); /* the column was not left behind */
    db_close(db);
}

static void a_database_of_a_newer_program_is_refused(void **state)
{
    struct db_schema older = things;
    struct db *db = open_with(&things);

    (void)state;
    db_close(db);
    older.n_migrations = 1;
    assert_int_equal(db_open(&db, path, &older, DB_WRITE, NULL), -EPROTO);
}

static void a_typo_fails_the_open(void **state)
{
    static const char *const texts[] = {
        "-- name: add_thing\nINSERT INTO thing (id, nam) VALUES (?1, ?2);\n",
        "-- name: add_thin\nINSERT INTO thing (id) VALUES (?1);\n",
        "-- name: add_thing\nSELECT 1;\n-- name: add_thing\nSELECT 1;\n",
        "",
    };
    struct db_schema schema = things;
    struct db *db = NULL;

    (void)state;
    schema.n_names = 1;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        schema.queries = texts[i];
        assert_int_equal(db_open(&db, path, &schema, DB_WRITE, NULL), -EINVAL);
    }
}

/* A service may not change a mode, so files have theirs from the start. */
static void nobody_else_reads_what_is_made(void **state)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    mode_t before = umask(0);
    struct db *db = open_with(&things);

    (void)state;
    umask(before);
    assert_int_equal(add(db, 1, "one"), 0);
    for (size_t i = 0; i < 3; i++) {
        struct stat status;
        char file[160];

        snprintf(file, sizeof(file), "%s%s", path, endings[i]);
        assert_int_equal(stat(file, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
    }
    db_close(db);
}

/* Closing another descriptor of the file would drop them: locks belong to the process. */
static void a_second_opening_leaves_the_locks(void **state)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct db *first = open_with(&things), *second = open_with(&things);
    int fd = open(path, O_RDWR | O_CLOEXEC), status = 0;

    (void)state;
    assert_true(fd >= 0);
    if (fork() == 0)
        _exit(fcntl(fd, F_SETLK, &lock) < 0 ? 0 : 1);
    assert_true(wait(&status) > 0);
    assert_int_equal(status, 0);
    db_close(second);
    db_close(first);
    close(fd);
}

static void a_reader_cannot_write(void **state)
{
    struct db *db = open_with(&things), *reader = NULL;

    (void)state;
    assert_int_equal(add(db, 1, "one"), 0);
    assert_int_equal(db_open(&reader, path, &things, DB_READ, NULL), 0);
    assert_int_equal(count(reader), 1);
    assert_int_equal(add(reader, 2, "two"), -EROFS);
    db_close(reader);
    db_close(db);
}

static void a_reader_does_not_make_a_database(void **state)
{
    struct db *reader = NULL;

    (void)state;
    assert_int_not_equal(db_open(&reader, path, &things, DB_READ, NULL), 0);
    assert_int_equal(access(path, F_OK), -1);
}

static void damage_is_told_apart(void **state)
{
    struct db *db = open_with(&things);
    char log[160];
    int fd;

    (void)state;
    assert_int_equal(db_check(db), 0);
    db_close(db);
    snprintf(log, sizeof(log), "%s-wal", path);
    assert_int_equal(unlink(log), 0); /* it holds a sound copy */
    fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "this is no database, but long enough", 36), 36);
    assert_int_equal(ftruncate(fd, 8192), 0);
    close(fd);
    assert_int_equal(db_open(&db, path, &things, DB_WRITE, NULL), -EBADMSG);
}

static void a_checkpoint_empties_the_log(void **state)
{
    const struct db_settings settings = {.is_manual = true};
    struct db *db = NULL, *helper = NULL;

    (void)state;
    assert_int_equal(db_open(&db, path, &things, DB_WRITE, &settings), 0);
    assert_int_equal(add(db, 1, "one"), 0);
    assert_true(db_wal_pages(db) > 0);
    assert_int_equal(db_open(&helper, path, &things, DB_CHECKPOINT, &settings), 0);
    assert_int_equal(db_checkpoint(helper, false), 0);
    assert_int_equal(add(db, 2, "two"), 0); /* the log starts over */
    assert_true(db_wal_pages(db) <= 3);
    db_close(helper);
    db_close(db);
}

static void an_interrupted_read_says_so(void **state)
{
    struct db *db = open_with(&things);
    struct statement *statement;

    (void)state;
    assert_int_equal(add(db, 1, "one"), 0);
    assert_int_equal(add(db, 2, "two"), 0);
    statement = db_statement(db, ALL_THINGS);
    assert_int_equal(statement_step(statement), STATEMENT_ROW);
    db_interrupt(db);
    assert_int_equal(statement_step(statement), -EINTR);
    db_close(db);
}

static void the_queue_schema_opens(void **state)
{
    struct db *db = open_with(&queue_schema);

    (void)state;
    db_close(db);
    db = open_with(&queue_schema);
    db_close(db);
}

int main(void)
{
#define DB_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        DB_TEST(values_come_back_by_type),
        DB_TEST(parameters_are_null_unless_bound),
        DB_TEST(a_rolled_back_transaction_leaves_nothing),
        DB_TEST(a_constraint_is_told_apart),
        DB_TEST(migrations_run_once_and_keep_rows),
        DB_TEST(a_migration_that_fails_changes_nothing),
        DB_TEST(a_database_of_a_newer_program_is_refused),
        DB_TEST(a_typo_fails_the_open),
        DB_TEST(nobody_else_reads_what_is_made),
        DB_TEST(a_second_opening_leaves_the_locks),
        DB_TEST(a_reader_cannot_write),
        DB_TEST(a_reader_does_not_make_a_database),
        DB_TEST(damage_is_told_apart),
        DB_TEST(a_checkpoint_empties_the_log),
        DB_TEST(an_interrupted_read_says_so),
        DB_TEST(the_queue_schema_opens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
