#!/bin/bash
# Every chapter at the gpu profile, an array task each:
#
#   sbatch --array=1-$(ls notebooks/[0-9]*_*.py | wc -l) book/slurm.sh   # all of them
#   sbatch --array=6 book/slurm.sh                                      # the sixth
#
# A task stops five minutes before its end and queues itself again; it goes on from its
# store, and writes its record (build/records/gpu) when it is complete.
#SBATCH --job-name=scaling-replicated
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=4
#SBATCH --mem=16G
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=slurm-%x-%a.log
set -euo pipefail
cd "${SLURM_SUBMIT_DIR:-.}"

chapters=(notebooks/[0-9]*_*.py)
chapter=${chapters[SLURM_ARRAY_TASK_ID - 1]}
slug=$(basename "$chapter" .py)
record=build/records/gpu/${slug#*_}.json
started=$(mktemp)

now=$(date +%s)
end=${SLURM_JOB_END_TIME:-$((now + 3600))}
export SCALING_TIME_LIMIT=$((end - now - 300))
export SCALING_SWEEP_JOBS=${SLURM_CPUS_PER_TASK:-1}
export SCALING_PROFILE=gpu PYTHONPATH=.

"${PYTHON:-.venv/bin/python}" "$chapter"
if [ "$record" -nt "$started" ]; then
    echo "$chapter: complete, $record"
else
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
