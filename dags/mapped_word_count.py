"""Dynamic mapping in the style of Airflow 3: one task instance per text, then one sum."""

from datetime import datetime

from airflow.sdk import dag, task

TEXTS = {
    "proverb": "a rolling stone gathers no moss",
    "pangram": "the quick brown fox jumps over the lazy dog",
    "tongue_twister": "she sells sea shells by the sea shore",
}


@dag(
    schedule="0 6 * * *",
    start_date=datetime(2024, 1, 1),
    tags=["example", "airflow-3-style"],
)
def mapped_word_count():
    @task
    def list_texts() -> list[str]:
        return list(TEXTS)

    @task(map_index_template="{{ text_name }}")
    def count_words(text_name: str) -> int:
        return len(TEXTS[text_name].split())

    @task
    def add_up(counts: list[int]) -> int:
        total = sum(counts)
        print(f"{total} words in {len(TEXTS)} texts")
        return total

    add_up(count_words.expand(text_name=list_texts()))


mapped_word_count_dag = mapped_word_count()

if __name__ == "__main__":
    mapped_word_count_dag.test()
