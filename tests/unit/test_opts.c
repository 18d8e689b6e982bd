/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <inttypes.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "cli/opts.h"

/* LINE and ENV are words with '|' between. */
static int parse(enum opts_cmd cmd, const char *line, const char *env, struct opts *o, struct err *e)
{
	cleanup(strv) char **argv = str_split("prog", "|"), **words = str_split(line, "|"), **vars = NULL;

	vars = env ? str_split(env, "|") : strv_copy(NULL);
	for (char **w = words; *w; w++)
		strv_push(&argv, *w);
	return opts_parse(cmd, (int)strv_len(argv), argv, vars, o, e);
}

/* What the tests compare: the values in a fixed order. */
static char *describe(const struct opts *o)
{
	struct strbuf b = STRBUF_INIT;
	char buf[32];

	strbuf_addf(&b, "n=%u c=%u mem=%" PRIu64 "/%" PRIu64 " t=%s", o->ntasks, o->cpus_per_task, o->mem_mb,
		    o->mem_per_cpu_mb, spec_duration_text(o->time_limit, buf));
	if (o->job_name)
		strbuf_addf(&b, " J=%s", o->job_name);
	if (o->chdir)
		strbuf_addf(&b, " D=%s", o->chdir);
	if (o->container)
		strbuf_addf(&b, " container=%s", o->container);
	if (o->container_id)
		strbuf_addf(&b, " id=%s", o->container_id);
	if (o->output)
		strbuf_addf(&b, " o=%s", o->output);
	if (o->error)
		strbuf_addf(&b, " e=%s", o->error);
	if (o->input)
		strbuf_addf(&b, " i=%s", o->input);
	if (o->wrap)
		strbuf_addf(&b, " wrap=%s", o->wrap);
	if (o->array_text)
		strbuf_addf(&b, " a=%s", o->array_text);
	if (o->depend_text)
		strbuf_addf(&b, " d=%s", o->depend_text);
	if (o->export_text)
		strbuf_addf(&b, " export=%s", o->export_text);
	if (o->jobid)
		strbuf_addf(&b, " jobid=%u", o->jobid);
	if (o->warn.sig)
		strbuf_addf(&b, " warn=%d@%u%s", o->warn.sig, o->warn.seconds, o->warn.batch_only ? "B" : "");
	if (o->kill_on_bad_exit >= 0)
		strbuf_addf(&b, " K=%d", o->kill_on_bad_exit);
	if (o->requeue >= 0)
		strbuf_addf(&b, " requeue=%d", o->requeue);
	if (o->immediate)
		strbuf_addf(&b, " I=%d", o->immediate);
	if (o->kill_command)
		strbuf_addf(&b, " killcmd=%d", o->kill_command);
	if (o->pty)
		strbuf_adds(&b, " pty");
	strbuf_addf(&b, "%s%s%s%s%s%s%s%s%s%s", o->exclusive ? " exclusive" : "", o->overlap ? " overlap" : "",
		    o->label ? " label" : "", o->unbuffered ? " unbuffered" : "", o->hold ? " hold" : "",
		    o->parsable ? " parsable" : "", o->wait_job ? " wait" : "", o->bind ? "" : " nobind",
		    o->overcommit ? " overcommit" : "", o->quiet ? " quiet" : "");
	for (int i = 0; i < o->verbose; i++)
		strbuf_adds(&b, " v");
	for (char **r = o->recorded; r && *r; r++)
		strbuf_addf(&b, " +%s", *r);
	for (char **a = o->argv; a && *a; a++)
		strbuf_addf(&b, " '%s'", *a);
	return strbuf_take(&b);
}

#define D "n=1 c=1 mem=0/0 t=UNLIMITED"

static void accepted(void **state)
{
	static const struct {
		enum opts_cmd cmd;
		const char *line, *env, *want;
	} cases[] = {
		{ OPTS_SRUN, "true", NULL, D " 'true'" },
		{ OPTS_SRUN, "-n4|-c2|true|-n9", NULL, "n=4 c=2 mem=0/0 t=UNLIMITED 'true' '-n9'" },
		{ OPTS_SRUN, "-n|4|--cpus-per-task=2|--|true", NULL, "n=4 c=2 mem=0/0 t=UNLIMITED 'true'" },
		{ OPTS_SRUN, "--ntasks|4|--|-x", NULL, "n=4 c=1 mem=0/0 t=UNLIMITED '-x'" },
		{ OPTS_SRUN, "--ntasks-per-node=3|x", NULL, "n=3 c=1 mem=0/0 t=UNLIMITED 'x'" },
		{ OPTS_SRUN, "--label|-uQvvl|x", NULL, D " label unbuffered quiet v v 'x'" },
		{ OPTS_SRUN, "--lab|--unb|--overl|x", NULL, D " overlap label unbuffered 'x'" },
		{ OPTS_SRUN, "-N1|-N|1|--nodes=1-1|-N1-4|-N1,2|x", NULL, D " 'x'" },
		{ OPTS_SRUN, "--container|/b|--container-id=me|x", NULL, D " container=/b id=me 'x'" },
		{ OPTS_SRUN, "-K|x", NULL, D " K=1 'x'" },
		{ OPTS_SRUN, "-K0|x", NULL, D " K=0 'x'" },
		{ OPTS_SRUN, "--kill-on-bad-exit=1|x", NULL, D " K=1 'x'" },
		{ OPTS_SRUN, "-K|0", NULL, D " K=1 '0'" },
		{ OPTS_SRUN, "--pty|bash", NULL, D " pty 'bash'" },
		{ OPTS_SRUN, "--pty=0|bash", NULL, D " pty 'bash'" },
		{ OPTS_SRUN, "-t1:30|--mem=2G|-Jj|-D/tmp|x", NULL, "n=1 c=1 mem=2048/0 t=1:30 J=j D=/tmp 'x'" },
		{ OPTS_SRUN, "--mem-per-cpu=100|x", NULL, "n=1 c=1 mem=0/100 t=UNLIMITED 'x'" },
		{ OPTS_SRUN, "-oo%t|-ee|-inone|x", NULL, D " o=o%t e=e i=none 'x'" },
		{ OPTS_SRUN, "--jobid=7|--overlap|x", NULL, D " jobid=7 overlap 'x'" },
		{ OPTS_SRUN, "--signal=USR1@9|--immediate|x", NULL, D " warn=10@9 I=1 'x'" },
		{ OPTS_SRUN, "-I30|--exclusive|x", NULL, D " I=30 exclusive 'x'" },
		{ OPTS_SRUN, "--exclusive=user|x", NULL, D " 'x'" },
		{ OPTS_SRUN, "--cpu-bind=v,none|x", NULL, D " nobind 'x'" },
		{ OPTS_SRUN, "--cpu-bind=cores|--mpi=none|x", NULL, D " 'x'" },
		{ OPTS_SRUN, "--gres=none|--gpus=0|-r0|--prolog=none|x", NULL, D " 'x'" },
		{ OPTS_SRUN, "-pa|-p|b|--comment=a b|x", NULL, D " +partition=b +comment=a b 'x'" },
		{ OPTS_SRUN, "--nice|--x11=all|-k|x", NULL, D " +nice +x11=all +no-kill 'x'" },
		{ OPTS_SRUN, "-w|localhost|-x|elsewhere|x", NULL, D " 'x'" },
		{ OPTS_SRUN, "", NULL, D },
		/* the environment, and who wins */
		{ OPTS_SRUN, "x", "SLURM_NTASKS=3|SRUN_CPUS_PER_TASK=2", "n=3 c=2 mem=0/0 t=UNLIMITED 'x'" },
		{ OPTS_SRUN, "x", "SLURM_CPUS_PER_TASK=2", D " 'x'" },
		{ OPTS_SRUN, "-n2|x", "SLURM_NTASKS=3", "n=2 c=1 mem=0/0 t=UNLIMITED 'x'" },
		{ OPTS_SRUN, "x", "SLURM_NPROCS=5|SLURM_NTASKS=3", "n=3 c=1 mem=0/0 t=UNLIMITED 'x'" },
		{ OPTS_SRUN, "x", "SLURM_CONTAINER=/b|SBATCH_CONTAINER=/c|SALLOC_CONTAINER=/d", D " 'x'" },
		{ OPTS_SRUN, "x", "SRUN_CONTAINER=/b", D " container=/b 'x'" },
		{ OPTS_SRUN, "x", "SRUN_CONTAINER=", D " 'x'" },
		{ OPTS_SRUN, "--container=/a|x", "SRUN_CONTAINER=/b", D " container=/a 'x'" },
		{ OPTS_SBATCH, "--wrap=x", "SBATCH_CONTAINER=/b|SRUN_CONTAINER=/c", D " container=/b wrap=x" },
		{ OPTS_SALLOC, "x", "SALLOC_CONTAINER=/b|SLURM_CONTAINER=/c", D " container=/b 'x'" },
		{ OPTS_SRUN, "x", "SLURM_LABELIO=1|SLURM_UNBUFFEREDIO=0|SLURM_DEBUG=1", D " label v 'x'" },
		{ OPTS_SRUN, "x", "SLURM_EXPORT_ENV=NONE|SRUN_EXPORT_ENV=ALL", D " export=ALL 'x'" },
		{ OPTS_SRUN, "x", "SLURM_JOB_NAME=n", D " J=n 'x'" },
		{ OPTS_SRUN, "x", "SLURM_JOB_NAME=n|SLURM_JOB_ID=5|SLURM_NNODES=1", D " jobid=5 'x'" },
		{ OPTS_SRUN, "--mem-per-cpu=9|x", "SLURM_MEM_PER_NODE=4", "n=1 c=1 mem=0/9 t=UNLIMITED 'x'" },
		{ OPTS_SRUN, "--gpus=0|x", "SLURM_GPUS=4", D " 'x'" },
		{ OPTS_SRUN, "-pa|x", "SLURM_PARTITION=b|SLURM_QOS=c", D " +partition=a +qos=c 'x'" },
		{ OPTS_SRUN, "-n8|x", "SLURM_NTASKS_PER_NODE=4", "n=8 c=1 mem=0/0 t=UNLIMITED 'x'" },
		{ OPTS_SALLOC, "x", "SALLOC_TIMELIMIT=2|SLURM_TIMELIMIT=3", "n=1 c=1 mem=0/0 t=2:00 'x'" },
		{ OPTS_SALLOC, "x", "SALLOC_EXCLUSIVE=1|SALLOC_NO_KILL=1", D " exclusive +no-kill=1 'x'" },
		/* what only one of them has */
		{ OPTS_SALLOC, "-K", NULL, D " killcmd=15" },
		{ OPTS_SALLOC, "--kill-command=USR1|sh", NULL, D " killcmd=10 'sh'" },
		{ OPTS_SBATCH, "-W|--parsable|-a1-3%2|-dafterok:3|--wrap|a b", NULL,
		  D " wrap=a b a=1-3%2 d=afterok:3 parsable wait" },
		{ OPTS_SBATCH, "-H|--no-requeue|--requeue|--wrap=x", NULL, D " wrap=x requeue=1 hold" },
		{ OPTS_SBATCH, "--get-user-env|--get-user-env=5S|s", NULL, D " 's'" },
		{ OPTS_SBATCH, "job.sh|-n4", NULL, D " 'job.sh' '-n4'" },
		{ OPTS_SBATCH, "--signal=B:TERM@120|s", NULL, D " warn=15@120B 's'" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = ERR_INIT;
		cleanup(opts) struct opts o;
		cleanup(free) char *got = NULL;

		if (parse(cases[i].cmd, cases[i].line, cases[i].env, &o, &e) < 0)
			fail_msg("%s: %s", cases[i].line, e.msg);
		got = describe(&o);
		check_text(i, got, cases[i].want);
	}
}

static void refused(void **state)
{
	static const struct {
		enum opts_cmd cmd;
		const char *line, *env, *says;
	} cases[] = {
		{ OPTS_SRUN, "--nosuch", NULL, "unrecognized option '--nosuch'" },
		{ OPTS_SRUN, "--cpu|x", NULL, "ambiguous: --cpu-bind --cpu-freq --cpus-per-gpu --cpus-per-task" },
		{ OPTS_SRUN, "-y", NULL, "invalid option -- 'y'" },
		{ OPTS_SRUN, "-n", NULL, "requires an argument -- 'n'" },
		{ OPTS_SRUN, "--ntasks", NULL, "'--ntasks' requires an argument" },
		{ OPTS_SRUN, "--label=1|x", NULL, "doesn't allow an argument" },
		{ OPTS_SRUN, "-n0|x", NULL, "--ntasks: '0' is not a number from 1" },
		{ OPTS_SRUN, "-c|two|x", NULL, "--cpus-per-task: 'two'" },
		{ OPTS_SRUN, "-N2|x", NULL, "--nodes: '2': this machine is one node" },
		{ OPTS_SRUN, "-N2-4|x", NULL, "--nodes: '2-4': this machine is one node" },
		{ OPTS_SRUN, "-Nx|x", NULL, "--nodes: 'x' is not a number" },
		{ OPTS_SRUN, "--multi-prog|x", NULL, "--multi-prog: refused" },
		{ OPTS_SRUN, "--mpi=pmix|x", NULL, "--mpi: 'pmix'" },
		{ OPTS_SRUN, "--gres=gpu:1|x", NULL, "--gres: refused" },
		{ OPTS_SRUN, "-G1|x", NULL, "--gpus: refused" },
		{ OPTS_SRUN, "--bcast|x", NULL, "--bcast: refused" },
		{ OPTS_SRUN, "--cpu-bind=map_cpu:0,1|x", NULL, "--cpu-bind" },
		{ OPTS_SRUN, "-w|elsewhere|x", NULL, "not this machine" },
		{ OPTS_SRUN, "-x|localhost|x", NULL, "there is no other" },
		{ OPTS_SRUN, "--container=|x", NULL, "no bundle is named" },
		{ OPTS_SRUN, "--container-id=i|x", NULL, "--container is missing" },
		{ OPTS_SRUN, "a|:|b", NULL, "heterogeneous" },
		{ OPTS_SRUN, "--uid=99999|x", NULL, "--uid" },
		{ OPTS_SRUN, "--mem=1|--mem-per-cpu=1|x", NULL, "exclude each other" },
		{ OPTS_SRUN, "-n3|--ntasks-per-node=2|x", NULL, "this machine is one" },
		{ OPTS_SRUN, "-K2|x", NULL, "--kill-on-bad-exit: '2'" },
		{ OPTS_SRUN, "-ttomorrow|x", NULL, "--time: 'tomorrow' is not a time" },
		{ OPTS_SRUN, "x", "SLURM_NTASKS=x", "environment variable SLURM_NTASKS: 'x'" },
		{ OPTS_SRUN, "x", "SLURM_GPUS=1", "environment variable SLURM_GPUS: refused" },
		{ OPTS_SBATCH, "--wrap=x|script", NULL, "--wrap takes no script" },
		{ OPTS_SBATCH, "--label|x", NULL, "unrecognized option '--label'" },
		{ OPTS_SBATCH, ":|-n1", NULL, "heterogeneous" },
		{ OPTS_SBATCH, "-a3-1|x", NULL, "--array: '3-1'" },
		{ OPTS_SBATCH, "--get-user-env=5L|x", NULL, "--get-user-env: '5L'" },
		{ OPTS_SALLOC, "--get-user-env|x", NULL, "--get-user-env: refused" },
		{ OPTS_SBATCH, "--deadline=now|x", NULL, "--deadline: refused" },
		{ OPTS_SALLOC, "--no-shell", NULL, "--no-shell: refused" },
		{ OPTS_SRUN, "--pty=3|x", NULL, "--pty: '3'" },
		{ OPTS_SALLOC, "--pty|x", NULL, "unrecognized option '--pty'" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = ERR_INIT;
		cleanup(opts) struct opts o;

		if (parse(cases[i].cmd, cases[i].line, cases[i].env, &o, &e) == 0)
			fail_msg("%s: was accepted", cases[i].line);
		if (!strstr(e.msg, cases[i].says))
			fail_msg("%s: '%s' lacks '%s'", cases[i].line, e.msg, cases[i].says);
	}
}

static void origins(void **state)
{
	char *words[] = { "--mem=3", "-t", "9", NULL };
	cleanup(opts) struct opts o;

	assert_int_equal(parse(OPTS_SBATCH, "-n2|s", "SBATCH_TIMELIMIT=3", &o, NULL), 0);
	assert_int_equal(o.origin[OPT_NTASKS], OPTS_COMMAND_LINE);
	assert_int_equal(o.origin[OPT_TIME], OPTS_ENVIRONMENT);
	assert_false(opts_given(&o, OPT_MEM));
	assert_int_equal(opts_set_words(&o, words, OPTS_SCRIPT, NULL), 0);
	assert_int_equal(o.origin[OPT_MEM], OPTS_SCRIPT);
	assert_int_equal(o.time_limit, 180);
}

/* A script's lines against an option of the command line and one of the environment. */
static void directives(void **state)
{
	static const struct {
		const char *script, *want; /* or what the error says, where it begins with "job.sh" */
	} cases[] = {
		{ "#!/bin/sh\n", D },
		{ "#!/bin/sh", D },
		{ "#!/bin/sh\n#SBATCH -n 4\n", "n=4 c=1 mem=0/0 t=UNLIMITED" },
		{ "#!/bin/sh\n#SBATCH -n4 --mem=1G   # four\n", "n=4 c=1 mem=1024/0 t=UNLIMITED" },
		{ "#!/bin/sh\n#SBATCH\t--job-name=\"a b\" -o 'x\"y'\\ z\n", D " J=a b o=x\"y z" },
		{ "#!/bin/sh\n#SBATCH -J a#b\n", D " J=a" },
		{ "#!/bin/sh\n#SBATCH -J a\\#b\n", D " J=a#b" },
		{ "#!/bin/sh\n#SBATCH -J 'a\\'b'\n", D " J=a'b" },
		{ "#!/bin/sh\n#SBATCH -J \"#b\"\n", D " J=#b" },
		{ "#!/bin/sh\n#SBATCH\n#SBATCH   \n#SBATCH # nothing\n", D },
		{ "#!/bin/sh\n\n  # a comment\n ##SBATCH -n4\n #SBATCH -n4\n#SBATCH -c2",
		  "n=1 c=2 mem=0/0 t=UNLIMITED" },
		{ "#!/bin/sh\n#SBATCH -n4\necho\n#SBATCH -c2\n", "n=4 c=1 mem=0/0 t=UNLIMITED" },
		{ "#!/bin/sh\n#SBATCH -n4\n#SBATCH -n5\n", "n=5 c=1 mem=0/0 t=UNLIMITED" },
		{ "#!/bin/sh\n#SBATCH --container=/b\n#SBATCH -p x -A y\n", D " container=/b +partition=x +account=y" },
		{ "#!/bin/sh\n#SBATCH -J a\\\"b\n", D " J=a\"b" },
		{ "", "job.sh:1: this is no batch script" },
		{ "echo\n", "job.sh:1: this is no batch script" },
		{ "#!/bin/sh\r\necho\r\n", "job.sh:1: the lines end with \\r\\n" },
		{ "#!/bin/sh\n\n#SBATCH --nosuch\n", "job.sh:3: unrecognized option '--nosuch'" },
		{ "#!/bin/sh\n#SBATCH -n x\n", "job.sh:2: --ntasks: 'x'" },
		{ "#!/bin/sh\n#SBATCH -n 4 5\n", "job.sh:2: '5' is no option" },
		{ "#!/bin/sh\n#SBATCH -J \"a\n", "job.sh:2: a double quote is not closed" },
		{ "#!/bin/sh\n#SBATCH -J 'a\n", "job.sh:2: a single quote is not closed" },
		{ "#!/bin/sh\n#SBATCH -J a\\\n", "job.sh:2: nothing follows the backslash" },
		{ "#!/bin/sh\n#SBATCH-n4\n", "job.sh:2: a space is missing behind #SBATCH" },
		{ "#!/bin/sh\n#SBATCH --gres=gpu:2\n", "job.sh:2: --gres: refused" },
		{ "#!/bin/sh\n#SBATCH hetjob\n", "job.sh:2: hetjob" },
		{ "#!/bin/sh\n#SBATCH --help\n", "job.sh:2: --help: belongs on the command line" },
		{ "#!/bin/sh\n#SBATCH --wrap=x\n", "job.sh:2: --wrap: belongs on the command line" },
		{ "#!/bin/sh\n#PBS -l nodes=1\n", "job.sh:2: #PBS lines are not understood" },
		{ "#!/bin/sh\n#SBATCH --mem=1 --mem-per-cpu=1\n", "job.sh: --mem and --mem-per-cpu exclude" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct err e = ERR_INIT;
		cleanup(opts) struct opts o;
		cleanup(free) char *got = NULL;

		assert_int_equal(parse(OPTS_SBATCH, "", NULL, &o, &e), 0);
		if (directives_apply(&o, "job.sh", cases[i].script, strlen(cases[i].script), &e) < 0) {
			if (!str_starts(e.msg, cases[i].want))
				fail_msg("row %d: '%s', wanted '%s'", (int)i, e.msg, cases[i].want);
			continue;
		}
		got = describe(&o);
		check_text(i, got, cases[i].want);
	}
}

static void precedence(void **state)
{
	static const char script[] = "#!/bin/sh\n#SBATCH -n3 -c3 -t3 -p three -A three -q three\n";
	cleanup(opts) struct opts o;
	cleanup(free) char *got = NULL;

	assert_int_equal(parse(OPTS_SBATCH, "-n1|-pone|job.sh",
			       "SBATCH_TIMELIMIT=2|SBATCH_ACCOUNT=two|SBATCH_PARTITION=two", &o, NULL),
			 0);
	assert_int_equal(directives_apply(&o, "job.sh", script, strlen(script), NULL), 0);
	got = describe(&o);
	assert_string_equal(got, "n=1 c=3 mem=0/0 t=2:00 +partition=one +account=two +qos=three 'job.sh'");
}

/* Bytes of a NUL inside of the text, and other systems' lines where they are not wanted. */
static void odd_scripts(void **state)
{
	static const char nul[] = "#!/bin/sh\n#SBATCH -n1\0\n", pbs[] = "#!/bin/sh\n#PBS -l nodes=1\n#SBATCH -n4\n";
	struct err e = ERR_INIT;
	cleanup(opts) struct opts o, p;

	assert_int_equal(parse(OPTS_SBATCH, "s", NULL, &o, &e), 0);
	assert_int_equal(directives_apply(&o, "s", nul, sizeof(nul) - 1, &e), -1);
	assert_string_equal(e.msg, "s:1: the script holds a NUL byte");
	assert_int_equal(parse(OPTS_SBATCH, "--ignore-pbs|s", NULL, &p, &e), 0);
	assert_int_equal(directives_apply(&p, "s", pbs, sizeof(pbs) - 1, &e), 0);
	assert_int_equal(p.ntasks, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted),   cmocka_unit_test(refused),    cmocka_unit_test(origins),
		cmocka_unit_test(directives), cmocka_unit_test(precedence), cmocka_unit_test(odd_scripts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
