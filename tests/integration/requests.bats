#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The request lines of Slurm's Containers Guide, with the embedded engine's commands in PATH under Slurm's names. Each
# must run inside the container it names; the host has no /inside.
load helper
load engine

os_release='PRETTY_NAME="Berth Test Linux"'

# busybox has no bash, and the guide's lines call one.
setup_file() {
	engine_setup_file
	rm -f "$BUNDLE/rootfs/bin/bash"
	printf '#!/bin/sh\nexec /bin/sh "$@"\n' >"$BUNDLE/rootfs/bin/bash"
	chmod 755 "$BUNDLE/rootfs/bin/bash"
}

@test "batch step inside of container" {
	id=$(as_user sbatch --parsable --container "$BUNDLE" --wrap 'bash -c "cat /etc/*rel*; cat /inside"')
	out=$(output_of "$id")
	[[ $out == *"$os_release"*inside ]]
	[ "$(state "$id")" = COMPLETED ]
}

@test "batch job with step 0 inside of container" {
	id=$(as_user sbatch --parsable --wrap "srun --container $BUNDLE bash -c \"cat /etc/*rel*; cat /inside\"; ls /inside")
	out=$(output_of "$id")
	[[ $out == *"$os_release"*inside* && $out == *"No such file"* ]]
	[ "$(as_user sacct -n -P -o JobID -j "$id" | tr '\n' ' ')" = "$id $id.batch $id.0 " ]
}

@test "interactive step inside of container: a command, and a shell" {
	out=$(as_user salloc -Q --container "$BUNDLE" bash -c "cat /etc/*rel*; cat /inside")
	[[ $out == *"$os_release"*inside ]]
	out=$(printf 'cat /etc/*rel*; cat /inside\n' | as_user salloc -Q --container "$BUNDLE")
	[[ $out == *"$os_release"*inside ]]
}

@test "interactive job step 0 inside of container" {
	out=$(as_user salloc -Q srun --container "$BUNDLE" bash -c "cat /etc/*rel*; cat /inside")
	[[ $out == *"$os_release"*inside ]]
}

@test "job with step 0 inside of container" {
	out=$(as_user srun --container "$BUNDLE" bash -c "cat /etc/*rel*; cat /inside")
	[[ $out == *"$os_release"*inside ]]
}

@test "job with step 1 inside of container" {
	out=$(as_user srun srun --container "$BUNDLE" bash -c "cat /etc/*rel*; cat /inside; echo step \$SLURM_STEP_ID")
	[[ $out == *"$os_release"*inside*"step 1" ]]
}

@test "--export=NONE" {
	out=$(as_user env SECRET=mine srun --export=NONE --container "$BUNDLE" \
		bash -c 'cat /inside; echo "secret=$SECRET image=$FROM_IMAGE job=$SLURM_JOB_ID"')
	[[ $out == *inside*"secret= image=yes job="[1-9]* ]]
}

@test "the job's container is inherited by the batch and interactive steps only" {
	id=$(as_user sbatch --parsable --container "$BUNDLE" --wrap 'cat /inside; echo "variable $SLURM_CONTAINER"')
	out=$(output_of "$id")
	[[ $out == inside*"variable $BUNDLE" ]]
	# A step of a job that has a container runs outside, unless it names one itself.
	as_user salloc -Q --container "$BUNDLE" sh -c 'echo $SLURM_JOB_ID >id; until [ -e go ]; do sleep 0.05; done' &
	wait_for 10 test -s id
	run as_user srun -Q --jobid "$(cat id)" --overlap cat /inside
	touch go
	wait
	rm -f id go
	[ "$status" -ne 0 ] && [[ $output == *"No such file"* ]]
}

@test "the variables that name a container" {
	[ "$(as_user env SLURM_CONTAINER="$BUNDLE" srun cat /inside)" = inside ]
	[ "$(as_user env SRUN_CONTAINER="$BUNDLE" srun cat /inside)" = inside ]
	[ "$(as_user env SALLOC_CONTAINER="$BUNDLE" salloc -Q cat /inside)" = inside ]
	id=$(as_user env SBATCH_CONTAINER="$BUNDLE" sbatch --parsable --wrap 'cat /inside')
	[ "$(output_of "$id")" = inside ]
}

@test "nothing is left" {
	wait_for 10 no_leftovers
}
