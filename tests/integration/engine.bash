# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# For the tests of the embedded engine: `load helper; load engine`.

# A state folder of the file's own, a bundle in $BUNDLE, and a short way from TERM to KILL.
engine_setup_file() {
	helper_setup_file
	export BERTH_STATE_DIR=$USER_DIR/state BERTH_KILL_WAIT=1 BUNDLE=$USER_HOME/bundle
	make_bundle "$BUNDLE"
	echo inside >"$BUNDLE/rootfs/inside"
}

engine_teardown_file() {
	as_user scancel -u "$test_user" 2>/dev/null || true
	wait_for 10 no_jobs || true
	helper_teardown_file
}

setup_file() { engine_setup_file; }
teardown_file() { engine_teardown_file; }

setup() { cd "$USER_HOME" || return; }

no_jobs() { [ -z "$(as_user squeue -h)" ]; }

# state JOB: as sacct tells it
state() { as_user sacct -n -X -P -o State -j "$1"; }

state_is() { [ "$(state "$1")" = "$2" ]; }

# The text of a queued job's output, once the job has ended.
output_of() {
	wait_for 20 ended "$1"
	cat "slurm-$1.out"
}

ended() {
	case $(state "$1") in '' | RUNNING | PENDING | COMPLETING) return 1 ;; esac
}

submit() { as_user sbatch --parsable "$@"; }
