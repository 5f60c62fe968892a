"""Tests in a real browser and against a real Airflow web server."""
