# SPDX-License-Identifier: Apache-2.0
# Counts TAP: prints what failed and what was skipped, indented, and at the end "PASSED FAILED SKIPPED".
/^[0-9]+\.\.[0-9]+/ { split($1, plan, /\.\./); planned += plan[2] }

/^not ok / { fail($0); seen++; next }

/^ok / {
	seen++
	if (match(tolower($0), /# skip.*/)) {
		reason = substr($0, RSTART + 6)
		sub(/^[ ()]+/, "", reason); sub(/^SKIP[ :]*/, "", reason); sub(/\)$/, "", reason)
		if (ci == "true" && reason !~ /^host:/)
			fail($0)
		else {
			skipped++
			print "       skipped: " title ": " $0
		}
	} else
		passed++
	next
}

# What a runner says about the failure just seen.
in_failure && /^#/ && shown < 12 { print "         " $0; shown++; next }
{ in_failure = 0 }

function fail(line) {
	failed++
	in_failure = 1
	shown = 0
	print "       " line
}

END {
	if (seen < planned) {
		failed += planned - seen
		print "       " planned - seen " of " planned " tests did not run"
	} else if (planned == 0 || seen == 0) {
		failed++
		print "       no test was run"
	}
	if (status == 124 || status == 137) {
		failed++
		print "       took too long"
	} else if (status != 0 && failed == 0) {
		failed++
		print "       exit status " status " though no test failed"
	}
	printf "%d %d %d\n", passed, failed, skipped
}
