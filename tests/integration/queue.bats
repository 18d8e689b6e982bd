#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The embedded engine's queue: order, many at once, a full disk.
load helper
load engine

@test "two hundred submissions at once get two hundred ids, and all of them run" {
	seq 200 | as_user xargs -P 16 -I{} sbatch --parsable --comment {} -o /dev/null --wrap true >ids
	[ "$(sort -u ids | wc -l)" -eq 200 ]
	wait_for 120 no_jobs
	[ "$(as_user sacct -n -X -P -o State | sort | uniq -c | awk '{ print $1, $2 }')" = "200 COMPLETED" ]
}

@test "jobs start in the order of their submission" {
	export BERTH_CPUS=0
	for i in 1 2 3 4 5; do submit -o /dev/null --wrap "echo $i >>$USER_HOME/order" >/dev/null; done
	wait_for 30 no_jobs
	[ "$(tr '\n' ' ' <order)" = "1 2 3 4 5 " ]
}

@test "a large job is not overtaken by small ones for ever" {
	export BERTH_CPUS=0-3
	submit -o /dev/null --wrap 'sleep 3' >/dev/null
	large=$(submit -n4 -o /dev/null --wrap "echo large >>$USER_HOME/turns")
	small=$(submit -o /dev/null --wrap "echo small >>$USER_HOME/turns")
	[ "$(as_user squeue -h -o %r -j "$large")" = Resources ]
	[ "$(as_user squeue -h -o %r -j "$small")" = Priority ]
	wait_for 20 no_jobs
	[ "$(tr '\n' ' ' <turns)" = "large small " ]
}

@test "memory counts where it is asked for" {
	export BERTH_CPUS=0-3
	most=$(($(awk '/^MemTotal/ { print $2 }' /proc/meminfo) / 1024 * 2 / 3))
	a=$(submit --mem "$most" -o /dev/null --wrap 'sleep 3')
	b=$(submit --mem "$most" -o /dev/null --wrap true)
	wait_for 10 state_is "$a" RUNNING
	[ "$(as_user squeue -h -o %r -j "$b")" = Resources ]
	wait_for 20 no_jobs
}

@test "short container jobs queued at once: none is lost" {
	n=${BERTH_TEST_JOBS:-40}
	before=$(as_user sacct -n -X -P -o JobID | wc -l)
	seq "$n" | as_user xargs -P 8 -I{} sbatch --parsable --comment {} -o /dev/null --container "$BUNDLE" \
		--wrap 'cat /inside' >ids
	[ "$(sort -u ids | wc -l)" -eq "$n" ]
	wait_for $((60 + n)) no_jobs
	[ "$(as_user sacct -n -X -P -o State | tail -n +$((before + 1)) | sort | uniq -c | awk '{ print $1, $2 }')" = \
		"$n COMPLETED" ]
	wait_for 5 no_leftovers
}

@test "a full disk loses no record" {
	[ "$(id -u)" -eq 0 ] || skip "host: root mounts a small file system"
	mkdir -p "$USER_DIR/small"
	mount -t tmpfs -o "size=512k,uid=$(id -u "$test_user"),mode=0700" tmpfs "$USER_DIR/small" ||
		skip "host: tmpfs cannot be mounted"
	export BERTH_STATE_DIR=$USER_DIR/small/state
	done_job=$(submit -W -o /dev/null --wrap 'exit 3') || true
	running=$(submit -o /dev/null --wrap 'sleep 1; exit 4')
	wait_for 10 state_is "$running" RUNNING
	as_user sh -c 'cat /dev/zero >"$BERTH_STATE_DIR/../fill"' 2>/dev/null || true
	run as_user sbatch --wrap true
	[ "$status" -ne 0 ] && [[ $output == *"No space left"* ]]
	run as_user srun true
	[ "$status" -ne 0 ]
	state_is "$done_job" FAILED
	wait_for 15 state_is "$running" FAILED
	rm "$USER_DIR/small/fill"
	wait_for 10 no_jobs
	[ "$(as_user sacct -n -X -P -o ExitCode -j "$running")" = 4:0 ]
	run as_user srun echo again
	[ "$status" -eq 0 ]
	umount "$USER_DIR/small"
}

@test "an array waits for another one, as a whole and element by element" {
	first=$(submit -o /dev/null -a 1-99:2 --wrap 'exit $((SLURM_ARRAY_TASK_ID == 99))')
	all=$(submit -o /dev/null -d "afterany:$first" -a 1-50 --wrap true)
	each=$(submit -o /dev/null -d "aftercorr:$first" -a 97,99 --wrap true)
	wait_for 60 eval '[ "$(as_user squeue -h -r | wc -l)" -eq 1 ]'
	[ "$(as_user squeue -h -o '%K %r')" = "99 DependencyNeverSatisfied" ]
	[ "$(as_user sacct -n -X -P -o State -j "$all" | sort | uniq -c | tr -s ' ')" = " 50 COMPLETED" ]
	as_user scancel "$each"
}
