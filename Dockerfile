# One image for every Airflow service in docker-compose.yaml. The locked packages are built in the first stage only.
FROM python:3.11-slim AS build
RUN pip install --no-cache-dir uv==0.9.30
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /opt/strikes
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --extra cluster --no-install-project
COPY include include
RUN uv sync --frozen --no-dev --extra cluster

FROM python:3.11-slim
RUN useradd --uid 50000 --gid 0 --create-home airflow \
    && mkdir -p /opt/airflow/logs /opt/airflow/auth /var/lib/strikes \
    && chown -R airflow:0 /opt/airflow /var/lib/strikes
WORKDIR /opt/strikes
COPY --from=build /opt/strikes /opt/strikes
COPY scripts/entrypoint /usr/local/bin/entrypoint
COPY dags dags
COPY plugins plugins
ENV PATH=/opt/strikes/.venv/bin:$PATH \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/strikes/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/strikes/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False \
    GX_ANALYTICS_ENABLED=false \
    STRIKES_HOME=/var/lib/strikes
USER airflow
ENTRYPOINT ["entrypoint"]
CMD ["version"]
