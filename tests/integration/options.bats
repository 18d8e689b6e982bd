#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Options as Slurm takes them: command line over environment over script; what is refused is refused by name.
load helper

setup() {
	cd "$USER_DIR" || return 1
}

script() {
	printf '%s\n' '#!/bin/sh' "$@" >"$USER_HOME/job.sh"
}

@test "options may be abbreviated, and end with the command" {
	run as_user srun --ntasks=2 --lab echo -n --ntasks
	[ "$status" -eq 0 ]
	[ "$(sort <<<"$output")" = "0: --ntasks
1: --ntasks" ]
	run as_user srun --cpu=1 true
	[ "$status" -eq 1 ]
	[[ $output == *"srun: error: option '--cpu' is ambiguous: "*--cpu-bind*--cpus-per-task* ]]
}

@test "an option that would change the result and that is lacking is refused by its name" {
	local option
	for option in --multi-prog --gres=gpu:1 -G1 --gpus-per-task=2 -N2 --mpi=pmix --bcast --preserve-env \
		--cpu-bind=map_cpu:0 --epilog=/bin/true --deadline=now --reboot --bb=x --pty=5 --relative=1 \
		--external-launcher --tres-per-task=gres/gpu:1 --no-allocate "-w elsewhere" "-x localhost"; do
		# shellcheck disable=SC2086 # "-w elsewhere" is two words
		run as_user srun $option touch "$USER_HOME/ran"
		[ "$status" -eq 1 ]
		[[ $output == "srun: error: --"* ]]
		[ ! -e "$USER_HOME/ran" ]
	done
}

@test "what only chooses among nodes and queues is accepted, and shown" {
	run as_user srun -p debug -A proj -q high --mail-type=ALL --mail-user=me --comment "a b" --reservation=r -C fast \
		--nice --hint=nomultithread -m block --contiguous --exclusive=user --gres=none --gpus=0 -N1 -w localhost \
		--propagate --network=x --switches=1 --tmp=1G --licenses=l --wckey=k -s --threads-per-core=1 true
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	run as_user sacct -nXP -o partition,account,qos,comment,reservation,constraints,wckey
	[ "${lines[-1]}" = "debug|proj|high|a b|r|fast|k" ]
	run as_user sh -c "squeue -t all --json | jq -r '.jobs[-1] | .mail_user, .licenses'"
	[ "$output" = "me
l" ]
}

@test "the command line wins over the environment, and that over the script" {
	script '#SBATCH -J script -n 2 --comment=script' '#SBATCH --time=3 # a comment' 'env' '#SBATCH -J late'
	run as_user env SBATCH_TIMELIMIT=2 SBATCH_JOB_NAME=env sbatch -J line -W --parsable -o "$USER_HOME/out" \
		"$USER_HOME/job.sh"
	[ "$status" -eq 0 ]
	run as_user squeue -t all -h -j "$output" -o '%j|%k|%l'
	[ "$output" = "line|script|2:00" ]
	grep -qx SLURM_NTASKS=2 "$USER_HOME/out"
}

@test "SLURM_EXIT_ERROR is the status of a failure that is not the command's" {
	run as_user env SLURM_EXIT_ERROR=77 srun --no-such-option true
	[ "$status" -eq 77 ]
	run as_user env SLURM_EXIT_ERROR=77 sbatch /no/such/script
	[ "$status" -eq 77 ]
	run as_user env SLURM_EXIT_ERROR=77 srun sh -c 'exit 3'
	[ "$status" -eq 3 ]
}

@test "an empty variable counts as none" {
	run as_user env SRUN_CONTAINER= SLURM_NTASKS= srun echo here
	[ "$status" -eq 0 ]
	[ "$output" = here ]
}

@test "what is wrong in a script is said with its line" {
	script '' '#SBATCH --no-such-thing'
	run as_user sbatch "$USER_HOME/job.sh"
	[ "$status" -eq 1 ]
	[ "$output" = "sbatch: error: $USER_HOME/job.sh:3: unrecognized option '--no-such-thing'; see sbatch --help" ]
	script '#SBATCH -J "half'
	run as_user sbatch "$USER_HOME/job.sh"
	[[ $output == *"job.sh:2: a double quote is not closed" ]]
	script '#SBATCH --gres=gpu:2'
	run as_user sbatch "$USER_HOME/job.sh"
	[[ $output == *"job.sh:2: --gres: refused: "* ]]
	script '#PBS -l nodes=1' true
	run as_user sbatch "$USER_HOME/job.sh"
	[ "$status" -eq 1 ]
	[[ $output == *"job.sh:2: #PBS lines are not understood"* ]]
	run as_user sbatch --ignore-pbs -o /dev/null "$USER_HOME/job.sh"
	[ "$status" -eq 0 ]
	printf 'echo\n' >"$USER_HOME/job.sh"
	run as_user sbatch "$USER_HOME/job.sh"
	[ "$status" -eq 1 ]
	[[ $output == *"#!"* ]]
}

@test "a container that was asked for by an empty name is not forgotten" {
	run as_user srun --container= touch "$USER_HOME/ran"
	[ "$status" -eq 1 ]
	[[ $output == *"--container: no bundle is named" ]]
	run as_user srun --container-id=x touch "$USER_HOME/ran"
	[ "$status" -eq 1 ]
	[ ! -e "$USER_HOME/ran" ]
}

@test "--get-user-env gives a login's environment, with what the submission names on top" {
	script '#SBATCH --get-user-env' 'env'
	run as_user env OF_CALLER=1 NAMED=2 sbatch -W --export=ALL,NAMED,SET=3 -o "$USER_HOME/env" "$USER_HOME/job.sh"
	[ "$status" -eq 0 ]
	grep -qx NAMED=2 "$USER_HOME/env"
	grep -qx SET=3 "$USER_HOME/env"
	grep -qx "USER=$test_user" "$USER_HOME/env"
	run grep OF_CALLER "$USER_HOME/env"
	[ "$status" -ne 0 ]
}

@test "heterogeneous jobs are refused" {
	run as_user srun -n1 true : -n1 true
	[ "$status" -eq 1 ]
	[[ $output == *"heterogeneous"* ]]
	script '#SBATCH hetjob'
	run as_user sbatch "$USER_HOME/job.sh"
	[ "$status" -eq 1 ]
	[[ $output == *"heterogeneous"* ]]
}

@test "names of output files have their numbers and names put in" {
	run as_user srun -n2 -J some -o "$USER_HOME/%x-%3j-%s-%t-%u-%n-100%%" sh -c 'echo $SLURM_PROCID'
	[ "$status" -eq 0 ]
	[ "$(cat "$USER_HOME"/some-???-0-1-"$test_user"-0-100%)" = 1 ]
}

@test "each command says its options and version, and berth its commands" {
	local command
	for command in srun sbatch salloc squeue scancel sacct; do
		run as_user "$command" --help
		[ "$status" -eq 0 ]
		[[ ${lines[0]} == "Usage: $command "* ]]
		run as_user "$command" --usage
		[ "${#lines[@]}" -eq 1 ]
		run as_user "$command" --version
		[[ $output == "berth "* ]]
		run as_user berth "$command" --version
		[ "$status" -eq 0 ]
		run as_user "$command" --no-such-option
		[ "$status" -eq 1 ]
		[ "$output" = "$command: error: unrecognized option '--no-such-option'; see $command --help" ]
	done
	run as_user berth --help
	[[ $output == *"srun "*"sbatch "*"bundle "* ]]
	run as_user berth nonsense
	[ "$status" -eq 1 ]
}
