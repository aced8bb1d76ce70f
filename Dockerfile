# The gpu profile in a container. The driver is the host's, CUDA comes with PyTorch's
# wheel, and all versions are those of constraints.txt.
#
#   docker build --build-arg COMMIT=$(git rev-parse HEAD) -t scaling-replicated .
#   docker run --rm --gpus all -v "$PWD/build:/book/build" scaling-replicated \
#       notebooks/01_superposition.py
ARG PYTHON=3.11
FROM python:${PYTHON}-slim

# For another CUDA: --build-arg PIP_ARGS="--index-url https://download.pytorch.org/whl/cu126
# --extra-index-url https://pypi.org/simple"
ARG PIP_ARGS=""
WORKDIR /book

# The packages first, so that a change of the book does not install them anew.
COPY pyproject.toml constraints.txt LICENSE LICENSE-TEXT ./
COPY scaling_core scaling_core
RUN pip install --no-cache-dir ${PIP_ARGS} -c constraints.txt -e ".[chapters]"
COPY . .

# There is no git inside: records name the commit that was given.
ARG COMMIT=""
ENV SCALING_COMMIT=${COMMIT} SCALING_PROFILE=gpu PYTHONPATH=/book HOME=/tmp
ENTRYPOINT ["python"]
CMD ["notebooks/01_superposition.py"]
