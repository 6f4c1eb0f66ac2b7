"""The purchase saga with DBOS Transact: a durable workflow whose steps are transactions of one database.

    dbos_saga.py PURCHASES          runs a process per core, and reports
    dbos_saga.py process NUMBER     one of them: it waits for the word to go, and carries out its share
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import shop
import sqlalchemy
from dbos import DBOS, SetWorkflowID, SQLAlchemyDatasource

THREADS = 8
URL = shop.DATABASE_URL.replace("postgres://", "postgresql+psycopg://", 1)


def workflow(source: SQLAlchemyDatasource):
    def execute(statement: str, **values: object) -> sqlalchemy.CursorResult:
        return source.sql_session().execute(sqlalchemy.text(statement), values)

    step = source.transaction(isolation_level="READ COMMITTED")

    @step
    def reserve(saga: str, event: int, quantity: int, buyer: str) -> bool:
        execute(
            "INSERT INTO saga (id, event_id, quantity, buyer, state) VALUES (:s, :e, :q, :b, 'charging')",
            s=saga, e=event, q=quantity, b=buyer,
        )
        taken = execute(
            "UPDATE stock SET available = available - :q WHERE event_id = :e AND available >= :q", e=event, q=quantity
        )
        if taken.rowcount == 0:
            return False
        execute(
            "INSERT INTO reservation (saga_id, event_id, quantity, status) VALUES (:s, :e, :q, 'held')",
            s=saga, e=event, q=quantity,
        )
        return True

    @step
    def charge(saga: str, amount: int) -> None:
        execute("INSERT INTO payment VALUES (:s, :a, 'captured')", s=saga, a=amount)

    @step
    def confirm(saga: str, event: int, quantity: int) -> None:
        execute("UPDATE reservation SET status = 'confirmed' WHERE saga_id = :s", s=saga)
        execute("INSERT INTO ticket SELECT :s, g, :e FROM generate_series(1, :q) g", s=saga, e=event, q=quantity)
        execute("UPDATE saga SET state = 'completed', updated_at = now() WHERE id = :s", s=saga)

    @step
    def notify(saga: str, buyer: str) -> None:
        execute("INSERT INTO notification VALUES (:s, :b, 'sent')", s=saga, b=buyer)

    @DBOS.workflow()
    def purchase(saga: str, event: int, quantity: int, buyer: str) -> str:
        if not reserve(saga, event, quantity, buyer):
            return "sold-out"
        charge(saga, quantity * shop.PRICE)
        confirm(saga, event, quantity)
        notify(saga, buyer)
        return "completed"

    return purchase


def work(number: int, of: int, purchases: int) -> None:
    DBOS(
        config={
            "name": "shop", "system_database_url": URL, "run_admin_server": False, "log_level": "ERROR",
            "executor_id": str(number),
        }
    )
    source = SQLAlchemyDatasource.create(database_url=URL, engine_kwargs={"pool_size": THREADS * 2})
    purchase = workflow(source)
    DBOS.launch()

    def buy(index: int) -> None:
        wish = shop.purchase(index)
        with SetWorkflowID(str(wish["saga"])):
            purchase(*wish.values())

    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(buy, range(number, purchases, of)))
    DBOS.destroy()


def main() -> None:
    if sys.argv[1] == "process":
        return work(*map(int, sys.argv[2:]))
    purchases, count = int(sys.argv[1]), os.cpu_count() or 1
    shop.create_tables()
    processes = []
    for number in range(count):
        # One after another, for the first makes the tables of DBOS.
        process = subprocess.Popen(
            [sys.executable, __file__, "process", str(number), str(count), str(purchases)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        while (line := process.stdout.readline()) not in ("ready\n", ""):
            pass
        if not line:
            sys.exit("a process has ended before it was ready")
        processes.append(process)
    began = time.monotonic()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.close()
    if any(process.wait() for process in processes):
        sys.exit("a process has failed")
    seconds = time.monotonic() - began
    with psycopg.connect(shop.DATABASE_URL) as connection:
        shop.report(connection, purchases, seconds)


if __name__ == "__main__":
    main()
