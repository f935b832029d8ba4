"""The import façade: Airflow's import paths of both generations, answered by Tradewind."""
