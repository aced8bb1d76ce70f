#!/bin/bash
# The sweeps of chapters over several nodes at once, by Ray (extras: book, cluster):
#
#   sbatch --nodes=4 book/ray.sh superposition
#   GPUS=0.25 sbatch --nodes=2 book/ray.sh superposition composition    # four a GPU
#
# The first node is Ray's head and runs the chapter; the others join it. A lost node's
# configs run elsewhere. A job that ran out of time goes on from its store when it is
# submitted again.
#SBATCH --job-name=scaling-replicated-ray
#SBATCH --ntasks-per-node=1
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=4
#SBATCH --mem=16G
#SBATCH --time=01:00:00
#SBATCH --output=slurm-%x-%j.log
set -euo pipefail
cd "${SLURM_SUBMIT_DIR:-.}"

bin=${BIN:-.venv/bin}
ip=$(hostname --ip-address | cut -d ' ' -f 1)
port=${PORT:-6379}
cpus=--num-cpus=${SLURM_CPUS_PER_TASK:-1}
export SCALING_PROFILE=${SCALING_PROFILE:-gpu} RAY_USAGE_STATS_ENABLED=0
export RAY_AUTH_MODE=token  # of ~/.ray: other users of the cluster stay out

"$bin/ray" get-auth-token --generate >/dev/null
"$bin/ray" start --head --node-ip-address="$ip" --port="$port" "$cpus"
if [ "${SLURM_NNODES:-1}" -gt 1 ]; then
    srun --nodes=$((SLURM_NNODES - 1)) --ntasks-per-node=1 --exclude="$(hostname)" \
        "$bin/ray" start --address="$ip:$port" "$cpus" --block &
    trap "kill $! 2>/dev/null || true" EXIT
fi
"$bin/scaling" run "$@" --backend ray --ray-address "$ip:$port" \
    --gpus-per-task "${GPUS:-1}"
