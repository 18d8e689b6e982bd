/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/pattern_impl.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/*
 * A value that is part of a program's text is parsed by that program, and no quoting of ours helps: these are the
 * programs that take such a text among their arguments. A word with one of their names counts wherever it stands in
 * the command, so that `sudo env -i bash -c` is seen too.
 */

enum takes {
	TAKES_OPTION,	    /* the word after one of the option letters, options end at the first operand */
	TAKES_OPTION_LATER, /* the same, and options may stand behind operands */
	TAKES_OPERAND,	    /* as TAKES_OPTION, and the first operand where there was no such option or -f */
	TAKES_ALL,	    /* every word */
	TAKES_BUILTIN,	    /* the same, of a shell's own command */
	TAKES_REMOTE,	    /* every word behind the first operand, a host */
};

struct taker {
	const char *name;
	enum takes takes;
	const char *letters;	/* options followed by program text */
	const char *with_value; /* options followed by something else */
	const char *safe;	/* what to write instead */
};

#define SHELL_SAFE "give it as an argument, such as sh -c '... \"$1\"' _ %%%c"
#define SCRIPT_SAFE "give it as an argument behind the program text"
#define NO_SAFE "put the command into a script of its own and call that with %%%c as an argument"

static const struct taker takers[] = {
	{ "sh", TAKES_OPTION, "c", "oO", SHELL_SAFE },
	{ "ash", TAKES_OPTION, "c", "oO", SHELL_SAFE },
	{ "bash", TAKES_OPTION, "c", "oO", SHELL_SAFE },
	{ "csh", TAKES_OPTION, "c", "", SHELL_SAFE },
	{ "dash", TAKES_OPTION, "c", "oO", SHELL_SAFE },
	{ "fish", TAKES_OPTION, "cC", "", SHELL_SAFE },
	{ "ksh", TAKES_OPTION, "c", "oO", SHELL_SAFE },
	{ "ksh93", TAKES_OPTION, "c", "oO", SHELL_SAFE },
	{ "mksh", TAKES_OPTION, "c", "oO", SHELL_SAFE },
	{ "rbash", TAKES_OPTION, "c", "oO", SHELL_SAFE },
	{ "tcsh", TAKES_OPTION, "c", "", SHELL_SAFE },
	{ "yash", TAKES_OPTION, "c", "oO", SHELL_SAFE },
	{ "zsh", TAKES_OPTION, "c", "oO", SHELL_SAFE },
	{ "su", TAKES_OPTION_LATER, "c", "", SHELL_SAFE },
	{ "runuser", TAKES_OPTION_LATER, "c", "", SHELL_SAFE },
	{ "sg", TAKES_OPTION_LATER, "c", "", NO_SAFE },
	{ "flock", TAKES_OPTION_LATER, "c", "", NO_SAFE },
	{ "script", TAKES_OPTION_LATER, "c", "", NO_SAFE },
	{ "lua", TAKES_OPTION, "e", "l", SCRIPT_SAFE },
	{ "node", TAKES_OPTION, "ep", "r", SCRIPT_SAFE },
	{ "perl", TAKES_OPTION, "eE", "", SCRIPT_SAFE },
	{ "python", TAKES_OPTION, "c", "WX", SCRIPT_SAFE },
	{ "python2", TAKES_OPTION, "c", "WX", SCRIPT_SAFE },
	{ "python3", TAKES_OPTION, "c", "WX", SCRIPT_SAFE },
	{ "ruby", TAKES_OPTION, "e", "rI", SCRIPT_SAFE },
	{ "env", TAKES_OPTION, "S", "uC", NO_SAFE },
	{ "awk", TAKES_OPERAND, "e", "Fvf", "hand it over with -v NAME=%%%c" },
	{ "gawk", TAKES_OPERAND, "e", "Fvf", "hand it over with -v NAME=%%%c" },
	{ "mawk", TAKES_OPERAND, "e", "Fvf", "hand it over with -v NAME=%%%c" },
	{ "sed", TAKES_OPERAND, "e", "fl", NO_SAFE },
	{ "alias", TAKES_BUILTIN, "", "", NO_SAFE },
	{ "eval", TAKES_BUILTIN, "", "", "leave eval out, the shell sees %%%c as one argument" },
	{ "let", TAKES_BUILTIN, "", "", NO_SAFE },
	{ "parallel", TAKES_ALL, "", "", NO_SAFE },
	{ "trap", TAKES_BUILTIN, "", "", "assign it to a variable, and use \"$NAME\" in the trap" },
	{ "watch", TAKES_ALL, "", "", NO_SAFE },
	{ "[[", TAKES_BUILTIN, "", "", "use [ ... ]" },
	{ "rsh", TAKES_REMOTE, "", "lp", NO_SAFE },
	{ "ssh", TAKES_REMOTE, "", "BbcDEeFIiJLlmOopQRSWw", NO_SAFE },
};

static int refuse(const struct word *w, const char *program, const char *safe, size_t *offset, struct err *e)
{
	char advice[256];
	char letter = w->value;

	if (!letter)
		return 0;
	*offset = w->value_at;
	snprintf(advice, sizeof(advice), safe, letter);
	err_set(e, "%%%c is inside a text that '%s' parses, where no quoting can protect it", letter, program);
	return err_hint(e, "%s", advice);
}

/* What an option word of T says of the word behind it. */
struct option {
	bool is, text_here, text_next, skip_next;
};

static struct option read_option(const struct taker *t, const struct word *w)
{
	const char *s = word_start(w);
	struct option o = { .is = (*s == '-' || *s == '+') && s[1] };

	if (!o.is || s[1] == '-') {
		o.text_next = o.is && (strcmp(s, "--command") == 0 || strcmp(s, "--eval") == 0 ||
				       strcmp(s, "--expression") == 0 || strcmp(s, "--split-string") == 0);
		o.text_here = o.is && !o.text_next && w->value &&
			      (str_starts(s, "--command=") || str_starts(s, "--eval=") ||
			       str_starts(s, "--expression=") || str_starts(s, "--split-string="));
		o.skip_next = strcmp(s, "--rcfile") == 0 || strcmp(s, "--init-file") == 0;
		return o;
	}
	for (s++; isalnum((unsigned char)*s); s++) {
		if (strchr(t->letters, *s)) {
			o.text_here = w->value != 0;
			o.text_next = o.text_next || !s[1] || strchr("cC", *s);
		} else if (strchr(t->with_value, *s)) {
			o.skip_next = !s[1] && w->n == 1;
			break;
		}
	}
	return o;
}

static int check_options(const struct taker *t, const struct words *w, size_t i, size_t *offset, struct err *e)
{
	bool text = false, given = false;

	for (i++; i < w->n; i++) {
		struct option o = read_option(t, &w->v[i]);

		if (o.is) {
			if (o.text_here && refuse(&w->v[i], t->name, t->safe, offset, e) < 0)
				return -1;
			text = text || o.text_next;
			given = given || o.text_next || o.text_here ||
				(t->takes == TAKES_OPERAND && str_starts(word_start(&w->v[i]), "-f"));
			i += o.skip_next;
			continue;
		}
		if ((text || (t->takes == TAKES_OPERAND && !given)) &&
		    refuse(&w->v[i], t->name, t->safe, offset, e) < 0)
			return -1;
		given = true;
		if (!text && t->takes != TAKES_OPTION_LATER)
			return 0;
		if (text && t->takes == TAKES_OPTION)
			return 0;
		text = false;
	}
	return 0;
}

static int check_all(const struct taker *t, const struct words *w, size_t i, size_t *offset, struct err *e)
{
	bool host = t->takes != TAKES_REMOTE;

	for (i++; i < w->n; i++) {
		if (!host) {
			struct option o = read_option(t, &w->v[i]);

			host = !o.is;
			i += o.skip_next;
			continue;
		}
		if (refuse(&w->v[i], t->name, t->safe, offset, e) < 0)
			return -1;
	}
	return 0;
}

/* The shell's own commands count where a command begins, and behind those that lead to one. */
static bool begins_command(const struct words *w, size_t i)
{
	while (i > 0) {
		const char *before = word_name(&w->v[--i]);

		if (!w->v[i].assignment &&
		    (!before || (strcmp(before, "command") != 0 && strcmp(before, "builtin") != 0)))
			return false;
	}
	return true;
}

static const struct taker *find_taker(const struct words *words, size_t i)
{
	const struct word *w = &words->v[i];
	const char *name = word_name(w);

	/* Whatever program it is that the shell finds out: with -c it is most likely a shell. */
	if (i == 0 && w->unknown && !name)
		return &takers[0];
	for (size_t k = 0; name && k < sizeof(takers) / sizeof(*takers); k++)
		if (strcmp(name, takers[k].name) == 0 && (takers[k].takes != TAKES_BUILTIN || begins_command(words, i)))
			return &takers[k];
	return NULL;
}

int pattern_check_command(const struct words *w, size_t *offset, struct err *e)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct taker *t = find_taker(w, i);
		bool wrap = i > 0 && strcmp(word_start(&w->v[i - 1]), "--wrap") == 0;
		int rc = 0;

		if ((wrap || str_starts(word_start(&w->v[i]), "--wrap=")) &&
		    refuse(&w->v[i], "--wrap", NO_SAFE, offset, e) < 0)
			return -1;
		if (t)
			rc = t->takes >= TAKES_ALL ? check_all(t, w, i, offset, e) : check_options(t, w, i, offset, e);
		if (rc < 0)
			return -1;
	}
	return 0;
}
