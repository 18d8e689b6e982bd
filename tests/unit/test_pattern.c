/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/pattern.h"
#include "proc/spawn.h"

/* Everything that a shell would fall for. */
#define BUNDLE "/b u'n\"d\\le/$(touch BAD)`touch BAD`;*\n\xc3\xa9%b"
#define SPOOL "/sp ool/$HOME"
#define USER "us'er \"x\""
static char *const command[] = { "echo", "a b", "", "$(touch BAD);", "'\"\\", "n\nl", "-x", "\xe2\x82\xac%%", NULL };

static const struct pattern_values values = {
	.argv = command,
	.bundle = BUNDLE,
	.env_file = "/e nv",
	.job = 12,
	.step = 4294967291U,
	.task = 3,
	.spool = SPOOL,
	.node = "node1",
	.pid = 77,
	.rootfs = "/r oot;fs",
	.user = USER,
	.uid = 1000,
	.work_dir = "",
};

#define COMMAND "echo", "a b", "", "$(touch BAD);", "'\"\\", "n\nl", "-x", "\xe2\x82\xac%%"

static char scratch[] = "/tmp/berth-test-pattern.XXXXXX";

static struct pattern *compile(const char *text)
{
	struct pattern *p = NULL;
	struct err e = ERR_INIT;
	size_t offset;

	if (pattern_compile(text, PATTERN_COMMAND_WITH_PID, &p, &offset, &e) < 0)
		fail_msg("%s: at %zu: %s", text, offset, e.msg);
	return p;
}

static void assert_vector(const char *text, char *const *got, const char *const *want)
{
	size_t i = 0;

	for (; want[i] && got[i]; i++)
		if (strcmp(want[i], got[i]) != 0)
			fail_msg("%s: word %zu is <%s>, not <%s>", text, i, got[i], want[i]);
	if (want[i] || got[i])
		fail_msg("%s: %s word <%s>", text, want[i] ? "lacks" : "has one more", want[i] ? want[i] : got[i]);
}

#define WORDS(...)                \
	{                         \
		__VA_ARGS__, NULL \
	}

/* What needs no shell is a vector as it stands. */
static void test_words(void **state)
{
	static const struct {
		const char *text;
		const char *want[32];
	} cases[] = {
		{ "crun --root=/run/user/%U/ run --bundle %b %n.%u.%j.%s.%t",
		  WORDS("crun", "--root=/run/user/1000/", "run", "--bundle", BUNDLE,
			"node1." USER ".12.4294967291.3") },
		{ "kill -s SIGTERM %p", WORDS("kill", "-s", "SIGTERM", "77") },
		{ "singularity exec --userns %r %@", WORDS("singularity", "exec", "--userns", "/r oot;fs", COMMAND) },
		{ "r '%b' \"%b\" a'%b'b", WORDS("r", BUNDLE, BUNDLE, "a" BUNDLE "b") },
		{ "r %Z '%Z' \"\" ''", WORDS("r", "", "", "", "") },
		{ "r x%@y", WORDS("r", "xecho", "a b", "", "$(touch BAD);", "'\"\\", "n\nl", "-x", "\xe2\x82\xac%%y") },
		{ "r 100%% '%%b' \"%%%%\"", WORDS("r", "100%", "%b", "%%") },
		{ "r a\\ b \\\\ \\$x \"\\\\\\\"\\$\\a\" '\\'", WORDS("r", "a b", "\\", "$x", "\\\"$\\a", "\\") },
		{ "r \"\\%b\"", WORDS("r", "\\" BUNDLE) },
		{ "\t r  a\tb ", WORDS("r", "a", "b") },
		{ "r a\\\nb", WORDS("r", "ab") },
		{ "r $%b '$x' a$", WORDS("r", "$" BUNDLE, "$x", "a$") },
		{ "r a#b a=b a!b", WORDS("r", "a#b", "a=b", "a!b") },
		{ "bash -c 'exec crun run -b \"$1\" x' _ %b",
		  WORDS("bash", "-c", "exec crun run -b \"$1\" x", "_", BUNDLE) },
		{ "bash run.sh -c %b", WORDS("bash", "run.sh", "-c", BUNDLE) },
		{ "sh -c 'echo %j'", WORDS("sh", "-c", "echo 12") },
		{ "awk -v x=%b '{ print }'", WORDS("awk", "-v", "x=" BUNDLE, "{ print }") },
		{ "ssh %n true", WORDS("ssh", "node1", "true") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pattern *p = compile(cases[i].text);
		char **argv = pattern_argv(p, &values);

		if (pattern_needs_shell(p))
			fail_msg("%s: needs no shell", cases[i].text);
		assert_vector(cases[i].text, argv, cases[i].want);
		strv_free(argv);
		pattern_free(p);
	}
}

static void test_no_command(void **state)
{
	struct pattern *p = compile("r %@ \"%@\" x%@");
	const struct pattern_values none = { 0 };
	char **argv = pattern_argv(p, &none);

	(void)state;
	assert_int_equal(strv_len(argv), 2);
	assert_string_equal(argv[1], "x");
	strv_free(argv);
	pattern_free(p);
}

/* Runs the vector with a recorder called `r` in PATH; what it was given is in *got. */
static void run_recorded(char **argv, const char *text, char ***got)
{
	cleanup(free) char *path = xasprintf("PATH=%s:/usr/bin:/bin", scratch);
	char *const env[] = { path, "X=1 2", "berth_b=exported", NULL };
	struct spawn s = SPAWN_INIT;
	struct exit_status st;
	struct err e = ERR_INIT;
	char *out = NULL, *err = NULL;

	s.path = argv[0];
	s.argv = argv;
	s.envp = env;
	s.cwd = scratch;
	if (spawn_capture(&s, 1 << 16, 10000, &out, &err, &st, &e) < 0)
		fail_msg("%s: %s", text, e.msg);
	if (st.code != 0 || *err)
		fail_msg("%s: status %d: %s", text, st.code, err);
	if (*out)
		out[strlen(out) - 1] = '\0';
	*got = str_split(out, "\x01");
	free(out);
	free(err);
}

/* A real shell, and values that it must not look into. */
static void test_shell(void **state)
{
	static const struct {
		const char *text;
		const char *want[32];
	} cases[] = {
		{ "r $X %b", WORDS("1", "2", BUNDLE) },
		{ "r \"$X\" \"%b\" '%b' a%b\"b%b\"'c%b'",
		  WORDS("1 2", BUNDLE, BUNDLE, "a" BUNDLE "b" BUNDLE "c" BUNDLE) },
		{ "r $(printf '%%s' \"%b\" | wc -c) %u", WORDS("42", USER) },
		{ "r \"$(printf '%%s|' '%m' \"%u\" %Z)\"", WORDS(SPOOL "|" USER "||") },
		{ "r \"$(printf %%s \"$(printf %%s \"%m\")\")\"", WORDS(SPOOL) },
		{ "r $X %@", WORDS("1", "2", COMMAND) },
		{ "r %u $X x%@y", WORDS(USER, "1", "2", "xecho", "a b", "", "$(touch BAD);", "'\"\\", "n\nl", "-x",
					"\xe2\x82\xac%%y") },
		{ "r $X \"%@\" %Z '%@'", WORDS("1", "2", COMMAND, "", COMMAND) },
		{ "r $X %n %u %U %j %s %t %p %Z %e %m %r %b",
		  WORDS("1", "2", "node1", USER, "1000", "12", "4294967291", "3", "77", "", "/e nv", SPOOL, "/r oot;fs",
			BUNDLE) },
		{ "test -n %b && r %b || exit 3", WORDS(BUNDLE) },
		{ "A=%b; B='%u'; r \"$A\" \"$B\"", WORDS(BUNDLE, USER) },
		{ "A=%b r %u", WORDS(USER) },
		{ "if test -n %Z; then r no; else r %b; fi", WORDS(BUNDLE) },
		{ "case %b in %b) r yes;; *) r no;; esac", WORDS("yes") },
		{ "for i in %@; do r \"$i\"; done", WORDS(COMMAND) },
		{ "{ r %b; }", WORDS(BUNDLE) },
		{ "(r %b; true)", WORDS(BUNDLE) },
		{ "f() { r %b; }; f", WORDS(BUNDLE) },
		{ "set -eu; r %b %@", WORDS(BUNDLE, COMMAND) },
		{ "r ${X:-%b} ${Y:-%b} \"${Y:-%b}\"", WORDS("1", "2", BUNDLE, BUNDLE) },
		{ "r ${Y:+x} ${Y:-'%b'} ${Y:-\"a%b\"} \"${Y-a}\"", WORDS(BUNDLE, "a" BUNDLE, "a") },
		{ "r \"${X%%%%2}\" ${#X} $(( %j + (1 << 2) ))", WORDS("1 ", "3", "16") },
		{ "r `echo \\`echo 100%%\\`` %b", WORDS("100%", BUNDLE) },
		{ "r 2>/dev/null %b >&1", WORDS(BUNDLE) },
		{ "r $$%b >/dev/null; r \"\\%b\" $%b", WORDS("\\" BUNDLE, "$" BUNDLE) },
		{ "r %b \\\n# it's\n", WORDS(BUNDLE) },
		{ "r %b # and %b, it's 100%%", WORDS(BUNDLE) },
		{ "r \\%% \"\\%%\" $X", WORDS("%", "\\%", "1", "2") },
		{ "env -i PATH=\"$PATH\" USER=$(printf a) r --bind %m:/var -- %@",
		  WORDS("--bind", SPOOL ":/var", "--", COMMAND) },
		{ "sh -c 'r \"$1\"; exit' _ %b; true", WORDS(BUNDLE) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pattern *p = compile(cases[i].text);
		char **argv = pattern_argv(p, &values), **got = NULL;

		if (!pattern_needs_shell(p))
			fail_msg("%s: needs a shell", cases[i].text);
		run_recorded(argv, cases[i].text, &got);
		assert_vector(cases[i].text, got, cases[i].want);
		strv_free(argv);
		strv_free(got);
		pattern_free(p);
	}
}

/* What cannot be made safe, or is no pattern: the offset and a part of what is said. */
static void test_refused(void **state)
{
	static const struct {
		const char *text;
		size_t offset;
		const char *says;
	} cases[] = {
		{ "", 0, "a command is expected" },
		{ " \t", 0, "a command is expected" },
		{ "# only", 0, "a command is expected" },
		{ "r %", 2, "a single %" },
		{ "r %x", 2, "unknown replacement '%x'" },
		{ "r '%\xc3'", 3, "unknown replacement '%'" },
		{ "r 'a", 2, "' without" },
		{ "r \"a", 2, "\" without" },
		{ "r \"$(a\"", 6, "without" },
		{ "r $(a", 2, "$( without" },
		{ "r ${a", 2, "${ without" },
		{ "r $((a)", 2, "$(( without" },
		{ "r `a", 2, "` without" },
		{ "r \\", 2, "backslash at the end" },
		{ "r (a", 2, "( without" },
		{ "r a)", 3, ") without" },
		{ "r \\%b", 2, "backslash before" },
		{ "r ~%u", 2, "~ is not expanded" },
		{ "r `cat %b`", 7, "inside `...`; use $(...)" },
		{ "r `a %j`", 5, "inside `...`" },
		{ "cat <<E\n%b\nE", 4, "here-documents" },
		{ "cat <<<%b", 4, "here-documents" },
		{ "r $((%b + 1))", 5, "inside $((...))" },
		{ "((%b))", 2, "inside ((...))" },
		{ "r $[1]", 2, "not of the POSIX shell" },
		{ "r $'a'", 2, "not of the POSIX shell" },
		{ "r <(cat %b)", 2, "not of the POSIX shell" },
		{ "r ${X#%b}", 6, "pattern of ${...}" },
		{ "r \"${X:-'%b'}\"", 8, "quotes inside" },
		{ "r $(case a in a) b;; esac)", 4, "case inside" },
		{ "r > %@", 4, "several words" },
		{ "r; A=x%@ r", 3, "several words" },
		{ "shift; r %@", 0, "would be lost" },
		{ "set -- a; r %@", 0, "would be lost" },
		{ "f() { r %@; }; f", 1, "would be lost" },
		{ "bash -c 'crun run -b %b x'", 21, "sh -c '... \"$1\"' _ %b" },
		{ "sh -ec \"r %u\"", 10, "text that 'sh' parses" },
		{ "sh -e -o pipefail -c -x 'r %u'", 27, "text that 'sh' parses" },
		{ "sudo -n env -i /bin/bash -lc \"r $(basename %b)\"", 43, "text that 'bash' parses" },
		{ "sh -c %@", 6, "text that 'sh' parses" },
		{ "sh -c r%b", 7, "text that 'sh' parses" },
		{ "$SHELL -c 'r %b'", 13, "parses" },
		{ "true && busybox sh -c 'r %b'", 25, "text that 'sh' parses" },
		{ "r $(sh -c 'r %b')", 13, "text that 'sh' parses" },
		{ "eval r %b", 7, "text that 'eval' parses" },
		{ "if true; then eval r %b; fi", 21, "text that 'eval' parses" },
		{ "su - x -c 'r %b'", 13, "text that 'su' parses" },
		{ "su --command='r %b' x", 16, "text that 'su' parses" },
		{ "ssh -p 22 host r %b", 17, "text that 'ssh' parses" },
		{ "env -S 'r %b'", 10, "text that 'env' parses" },
		{ "env -iS'r %b'", 10, "text that 'env' parses" },
		{ "python3 -c 'x(\"%b\")'", 15, "text that 'python3' parses" },
		{ "perl -ne 's/%b//'", 12, "text that 'perl' parses" },
		{ "awk -F : '/%b/'", 11, "text that 'awk' parses" },
		{ "sed -n -e s/%b// f", 12, "text that 'sed' parses" },
		{ "sbatch --wrap='r %b'", 17, "text that '--wrap' parses" },
		{ "sbatch --wrap 'r %b'", 17, "text that '--wrap' parses" },
		{ "[[ %b -eq 1 ]]", 3, "text that '[[' parses" },
		{ "trap 'rm %b' EXIT; r", 9, "text that 'trap' parses" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pattern *p = NULL;
		struct err e = ERR_INIT;
		size_t offset = 99;

		if (pattern_compile(cases[i].text, PATTERN_COMMAND, &p, &offset, &e) == 0)
			fail_msg("%s: accepted", cases[i].text);
		if (!strstr(e.msg, cases[i].says) || offset != cases[i].offset)
			fail_msg("%s: at %zu: %s", cases[i].text, offset, e.msg);
	}
}

static void test_kinds(void **state)
{
	struct pattern *p = NULL;
	struct err e = ERR_INIT;
	size_t offset;
	char *path;

	(void)state;
	assert_int_equal(pattern_compile("kill %p", PATTERN_COMMAND, &p, &offset, &e), -1);
	assert_non_null(strstr(e.msg, "RunTimeKill and RunTimeDelete"));
	assert_int_equal(pattern_compile("/a/%@", PATTERN_PATH, &p, &offset, &e), -1);
	assert_int_equal(offset, 3);
	assert_int_equal(pattern_compile("a/%j", PATTERN_PATH, &p, &offset, &e), -1);
	assert_non_null(strstr(e.msg, "not an absolute path"));
	assert_int_equal(pattern_compile("/a $x'/%U-%u%%/", PATTERN_PATH, &p, &offset, &e), 0);
	path = pattern_path(p, &values);
	assert_string_equal(path, "/a $x'/1000-" USER "%/");
	free(path);
	pattern_free(p);
}

static void test_facts(void **state)
{
	struct pattern *p = compile("sudo singularity oci run --bundle %b %n");

	(void)state;
	assert_true(pattern_uses_sudo(p));
	assert_string_equal(pattern_program(p), "sudo");
	assert_true(pattern_uses(p, 'b'));
	assert_false(pattern_uses(p, 'p'));
	assert_string_equal(pattern_text(p), "sudo singularity oci run --bundle %b %n");
	pattern_free(p);
	p = compile("crun $X");
	assert_null(pattern_program(p));
	assert_false(pattern_uses_sudo(p));
	pattern_free(p);
}

/* A single command takes the shell's place: a signal reaches it, and its status is the pattern's. */
static void test_exec(void **state)
{
	struct pattern *p = compile("sh -c 'kill -TERM $$' $HOME %b");
	char **argv = pattern_argv(p, &values);
	struct spawn s = SPAWN_INIT;
	struct exit_status st;
	struct err e = ERR_INIT;
	char *const env[] = { "PATH=/usr/bin:/bin", NULL };

	(void)state;
	s.path = argv[0];
	s.argv = argv;
	s.envp = env;
	assert_int_equal(spawn_run(&s, &st, &e), 0);
	assert_int_equal(st.signal, 15);
	strv_free(argv);
	pattern_free(p);
}

/* Random words of quoted and nested pieces: what they say is known as they are made. */
struct maker {
	struct strbuf text, want;
	unsigned seed;
};

static unsigned pick(struct maker *m, unsigned n)
{
	m->seed = m->seed * 1103515245U + 12345U;
	return (m->seed >> 16) % n;
}

static const char *value_of(char letter)
{
	switch (letter) {
	case 'b':
		return BUNDLE;
	case 'm':
		return SPOOL;
	case 'u':
		return USER;
	case 'Z':
		return "";
	default:
		return "77";
	}
}

static void make_piece(struct maker *m, char around, unsigned depth);

static void make_pieces(struct maker *m, char around, unsigned depth)
{
	for (unsigned n = pick(m, 4); n > 0; n--)
		make_piece(m, around, depth);
}

/* AROUND is the quote that the piece stands in, or 0. */
static void make_piece(struct maker *m, char around, unsigned depth)
{
	static const char letters[] = "bmuZp";
	char letter = letters[pick(m, 5)];

	switch (pick(m, around == '\'' || depth > 3 ? 3 : 8)) {
	case 0:
	case 1:
		strbuf_addf(&m->text, "%%%c", letter);
		strbuf_adds(&m->want, value_of(letter));
		return;
	case 2:
		strbuf_adds(&m->text, "x%%-");
		strbuf_adds(&m->want, "x%-");
		return;
	case 3:
		if (around)
			return;
		strbuf_addc(&m->text, '\'');
		make_pieces(m, '\'', depth + 1);
		strbuf_addc(&m->text, '\'');
		return;
	case 4:
		if (around)
			return;
		strbuf_addc(&m->text, '"');
		make_pieces(m, '"', depth + 1);
		strbuf_addc(&m->text, '"');
		return;
	case 5:
		strbuf_adds(&m->text, around ? "$(printf %%s \"" : "\"$(printf %%s \"");
		make_pieces(m, '"', depth + 1);
		strbuf_adds(&m->text, around ? "\" ; )" : "\" ; )\"");
		return;
	case 6:
		strbuf_adds(&m->text, around ? "$(printf %%s " : "\"$(printf %%s ");
		strbuf_addc(&m->text, '.');
		strbuf_addc(&m->want, '.');
		make_pieces(m, 0, depth + 1);
		strbuf_adds(&m->text, around ? ")" : ")\"");
		return;
	default:
		strbuf_adds(&m->text, around ? "${NONE-" : "\"${NONE-");
		strbuf_addf(&m->text, "%%%c", letter);
		strbuf_adds(&m->want, value_of(letter));
		strbuf_adds(&m->text, around ? "}" : "}\"");
	}
}

static void check_random(unsigned seed, const char *shell)
{
	struct maker m = { .text = STRBUF_INIT, .want = STRBUF_INIT, .seed = seed };
	cleanup(free) char *text = NULL;
	cleanup(free) char *want = NULL;
	cleanup(strv) char **argv = NULL;
	cleanup(strv) char **got = NULL;
	struct pattern *p;

	strbuf_adds(&m.text, "true && r ");
	strbuf_addc(&m.text, '.');
	strbuf_addc(&m.want, '.');
	for (unsigned n = 1 + pick(&m, 5); n > 0; n--)
		make_piece(&m, 0, 0);
	strbuf_adds(&m.text, " %@");
	text = strbuf_take(&m.text);
	want = strbuf_take(&m.want);
	p = compile(text);
	argv = pattern_argv(p, &values);
	free(argv[0]);
	argv[0] = xstrdup(shell);
	run_recorded(argv, text, &got);
	assert_vector(text, got, (const char *const[]){ want, COMMAND, NULL });
	pattern_free(p);
}

/* BERTH_TEST_PATTERNS tells how many, BERTH_TEST_SEED which one is the first. */
static void test_random(void **state)
{
	static const char *const shells[] = { "/bin/sh", "/bin/bash" };
	const char *count = getenv("BERTH_TEST_PATTERNS"), *first = getenv("BERTH_TEST_SEED");
	unsigned n = count ? (unsigned)atoi(count) : 40, seed = first ? (unsigned)atoi(first) : 1;

	(void)state;
	for (; n > 0; n--, seed++)
		for (size_t i = 0; i < 2; i++)
			if (access(shells[i], X_OK) == 0)
				check_random(seed, shells[i]);
}

static int set_up(void **state)
{
	static const char recorder[] = "#!/bin/sh\nfor a; do printf '%s\\001' \"$a\"; done\n";
	struct err e = ERR_INIT;
	cleanup(close) int dir = -1;

	(void)state;
	if (!mkdtemp(scratch))
		return -1;
	dir = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return path_write_new(dir, "r", recorder, sizeof(recorder) - 1, 0755, &e);
}

static int tear_down(void **state)
{
	cleanup(free) char *bad = xasprintf("%s/BAD", scratch);
	bool ran = access(bad, F_OK) == 0;
	struct err e = ERR_INIT;

	(void)state;
	path_remove_tree(AT_FDCWD, scratch, &e);
	return ran ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),	cmocka_unit_test(test_no_command), cmocka_unit_test(test_shell),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_kinds),	   cmocka_unit_test(test_facts),
		cmocka_unit_test(test_exec),	cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
