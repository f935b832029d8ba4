"""A pipeline that really learns: load, preprocess, train, evaluate, deploy or skip.

It fits a logistic regression by gradient descent on the two-class "moons" data, with the
standard library alone. The model is deployed (written to a file) if its accuracy on unseen data
reaches the parameter ``accuracy_to_deploy``; otherwise deployment is skipped.

    python ml_training_pipeline.py                # runs it here, without a server
    tradewind dags trigger ml_training_pipeline --conf '{"accuracy_to_deploy": 0.99}'
"""

import json
import math
import random
import tempfile
from datetime import datetime
from pathlib import Path

from airflow.sdk import Param, dag, task


def features_of(x: float, y: float) -> list[float]:
    """Add curved features, so that a linear model can separate the two moons."""
    return [1.0, x, y, x * x, x * y, y * y, x**3]


def probability(weights: list[float], features: list[float]) -> float:
    score = sum(w * f for w, f in zip(weights, features, strict=True))
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, score))))


@dag(
    schedule="@weekly",
    start_date=datetime(2024, 1, 1),
    params={
        "samples": Param(400, type="integer", minimum=40, maximum=5000),
        "epochs": Param(60, type="integer", minimum=1, maximum=1000),
        "accuracy_to_deploy": Param(0.9, type="number", minimum=0, maximum=1),
    },
    default_args={"retries": 1},
    tags=["example", "machine-learning"],
)
def ml_training_pipeline():
    @task
    def load(params=None) -> list[list[float]]:
        """Draw the two moons with some noise; rows are [x, y, class]."""
        source = random.Random(7)
        rows = []
        for n in range(params["samples"]):
            angle = math.pi * source.random()
            label = n % 2
            x = math.cos(angle) if label == 0 else 1 - math.cos(angle)
            y = math.sin(angle) if label == 0 else 0.5 - math.sin(angle)
            rows.append([x + source.gauss(0, 0.1), y + source.gauss(0, 0.1), label])
        return rows

    @task(multiple_outputs=True)
    def preprocess(rows: list[list[float]]) -> dict:
        """Shuffle and split: three quarters to learn from, one quarter to be judged by."""
        random.Random(11).shuffle(rows)
        cut = len(rows) * 3 // 4
        return {"train": rows[:cut], "test": rows[cut:]}

    @task
    def train(rows: list[list[float]], params=None) -> list[float]:
        weights = [0.0] * len(features_of(0, 0))
        for epoch in range(params["epochs"]):
            loss = 0.0
            for x, y, label in rows:
                features = features_of(x, y)
                guess = probability(weights, features)
                loss -= math.log(guess if label else 1 - guess)
                weights = [
                    w + 0.1 * (label - guess) * f for w, f in zip(weights, features, strict=True)
                ]
            if epoch % 20 == 0:
                print(f"epoch {epoch}: mean loss {loss / len(rows):.4f}")
        return weights

    @task
    def evaluate(weights: list[float], rows: list[list[float]]) -> float:
        hits = sum((probability(weights, features_of(x, y)) > 0.5) == bool(c) for x, y, c in rows)
        accuracy = hits / len(rows)
        print(f"accuracy on {len(rows)} unseen rows: {accuracy:.3f}")
        return accuracy

    @task.short_circuit
    def is_good_enough(accuracy: float, params=None) -> bool:
        return accuracy >= params["accuracy_to_deploy"]

    @task
    def deploy(weights: list[float], run_id=None) -> str:
        name = "".join(c if c.isalnum() else "_" for c in run_id)
        path = Path(tempfile.gettempdir()) / f"tradewind_model_{name}.json"
        path.write_text(json.dumps({"weights": weights}))
        print(f"deployed to {path}")
        return str(path)

    data = preprocess(load())
    model = train(data["train"])
    accuracy = evaluate(model, data["test"])
    is_good_enough(accuracy) >> deploy(model)


ml_training_pipeline_dag = ml_training_pipeline()

if __name__ == "__main__":
    ml_training_pipeline_dag.test()
