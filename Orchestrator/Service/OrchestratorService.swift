import Audit
import Catalogue
import Connections
import Contracts
import Engine
import FleetInspection
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Hosting
import Hummingbird
import Logging
import Operations
import Postgres
import Purchases
import SagaCore
import ServiceLifecycle
import Verification
import WebAPI
import WebKit

/// The process that runs the sagas: two lanes, the watchdog, the outbox relay, and HTTP.
package enum OrchestratorService {
    package static let migrations = [
        Migration(
            name: "0001_create_saga", sql: String(decoding: PackageResources._001_create_saga_sql, as: UTF8.self)),
        Migration(
            name: "0002_file_dead_letters",
            sql: String(decoding: PackageResources._002_file_dead_letters_sql, as: UTF8.self)),
        Migration(
            name: "0003_index_open_sagas",
            sql: String(decoding: PackageResources._003_index_open_sagas_sql, as: UTF8.self)),
        Migration(
            name: "0004_leave_room_for_steps",
            sql: String(decoding: PackageResources._004_leave_room_for_steps_sql, as: UTF8.self)),
        Migration(
            name: "0005_record_requests",
            sql: String(decoding: PackageResources._005_record_requests_sql, as: UTF8.self)),
        Migration(
            name: "0006_journal_by_saga",
            sql: String(decoding: PackageResources._006_journal_by_saga_sql, as: UTF8.self)),
        Migration(
            name: "0007_keep_undelivered_answers",
            sql: String(decoding: PackageResources._007_keep_undelivered_answers_sql, as: UTF8.self)),
        Migration(
            name: "0008_retell_events", sql: String(decoding: PackageResources._008_retell_events_sql, as: UTF8.self)),
        Migration(
            name: "0009_audit_operators",
            sql: String(decoding: PackageResources._009_audit_operators_sql, as: UTF8.self)),
        Migration(
            name: "0010_pause_sales", sql: String(decoding: PackageResources._010_pause_sales_sql, as: UTF8.self)),
        Migration(
            name: "0011_mend_nul_in_json",
            sql: String(decoding: PackageResources._011_mend_nul_in_json_sql, as: UTF8.self)),
        Migration(
            name: "0013_keep_event_cards",
            sql: String(decoding: PackageResources._013_keep_event_cards_sql, as: UTF8.self)),
    ]

    package static func services(
        _ fleet: Fleet, onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) throws -> [any Service] {
        let parts = try Parts(fleet)
        let lanes = try fleet.commandLanes(of: .orchestrator, rejecting: Rejection.answer) { connection in
            let runner = parts.runner(connection)
            let commands = CommandsHandler(
                desk: parts.desk(runner, PostgresRequestStore(connection)), purchases: parts.progress(runner),
                publishing: parts.publishing, requests: PostgresRequestStore(connection))
            return AnyBatchHandler { try await commands.handle($0) }
        }
        let replies = try fleet.replyLanes { connection in
            let replies = RepliesHandler(purchases: parts.progress(parts.runner(connection)))
            return AnyBatchHandler { try await replies.handle($0) }
        }
        let watchdog = Watchdog(
            parts.runner(fleet.database(of: .orchestrator, for: "watchdog")),
            messagePublisher: try fleet.messagePublisher(of: .orchestrator, for: "watchdog"), limit: Parts.watchdogLimit
        )
        return lanes + replies + (try parts.clerks()) + [
            PeriodicJobRunner(
                watchdog, every: .milliseconds(500), batch: .max, health: fleet.health, logger: fleet.logger),
            PeriodicJobRunner(
                parts.relay, every: .seconds(1), batch: OutboxRelay.batch, signal: parts.outboxSignal,
                health: fleet.health, logger: fleet.logger),
            PeriodicJobRunner(
                StockReconciler(parts.book, signal: parts.outboxSignal), every: .seconds(2), batch: .max,
                health: fleet.health, logger: fleet.logger),
            PeriodicJobRunner(
                parts.epochWatch(), every: .seconds(1), batch: 1, health: fleet.health, logger: fleet.logger),
            PeriodicJobRunner(
                PauseWatch(pauses: parts.pauses), every: PauseWatch.period, batch: .max, health: fleet.health,
                logger: fleet.logger),
            PeriodicJobRunner(
                SagaLookout(watchers: parts.watchers, queries: parts.sagaQueries),
                every: SagaLookout<PurchaseSaga>.period,
                batch: .max, health: fleet.health, logger: fleet.logger),
            PeriodicJobRunner(
                PlaceReconciler(PostgresEventPlaceStore(parts.pool), signal: parts.outboxSignal), every: .seconds(2),
                batch: PlaceReconciler.batch, health: fleet.health, logger: fleet.logger),
            PeriodicJobRunner(
                UndeliveredRelay(
                    parts.undelivered, outlet: try fleet.externalOutlet(of: .orchestrator, for: "undelivered answers")),
                every: .seconds(1), batch: UndeliveredRelay.batch, health: fleet.health, logger: fleet.logger),
            PeriodicJobRunner(
                ForgottenRequests(requests: PostgresRequestStore(parts.pool)), every: .seconds(60),
                batch: RequestLimits.sweep, health: fleet.health, logger: fleet.logger),
            parts.dispatcher,
            CachePulse(hints: parts.availability),
            parts.statistics,
            HTTPServer(
                purchases: PurchaseRoutes(
                    intake: parts.intake(), queries: parts.sagaQueries, watchers: parts.watchers,
                    streams: parts.streams()),
                events: EventRoutes(
                    publishing: parts.publishing, catalogue: parts.catalogue,
                    availability: Availability(hints: parts.availability, stock: parts.stock), pool: parts.pool),
                operators: try parts.operators(),
                fleet: fleet, onListening: onListening),
        ]
    }

    private typealias Store = PostgresSagaStore<PurchaseSaga>

    /// What the lanes, the sweeps and HTTP have in common.
    private struct Parts {
        static let watchdogLimit = 500
        static let poolSize = 8

        let fleet: Fleet
        let pool: PostgresPool
        let availability: AvailabilityHints
        let hints: PurchaseHints
        let undelivered: PostgresUndeliveredAnswers
        let book: PostgresEventStore
        let catalogue: EventCatalogue
        let stock: any StockView
        let pauses: SalesPauses
        let watchers = SagaWatchers()
        let outboxSignal = AsyncSignal()
        let relay: OutboxRelay
        let publishing: EventPublishing
        let dispatcher: Dispatcher
        let meters = SagaMeters()
        let recent = SagaCache<PurchaseSaga>()
        let queues: QueueWatch
        let outages = Outages()
        let statistics: FleetStatsCollector

        init(_ fleet: Fleet) throws {
            self.fleet = fleet
            pool = fleet.databasePool(of: .orchestrator, for: "http", size: Self.poolSize)
            undelivered = PostgresUndeliveredAnswers(pool)
            fleet.keepUndelivered(of: .orchestrator, in: undelivered)
            let redis = try fleet.redis(for: "purchases")
            availability = AvailabilityHints(
                RedisAvailabilityReader(redis, prefix: fleet.settings.redisPrefix), health: fleet.health,
                logger: fleet.logger)
            hints = PurchaseHints(
                RedisPurchaseCache(redis, prefix: fleet.settings.redisPrefix), health: fleet.health)
            book = PostgresEventStore(pool)
            catalogue = EventCatalogue(book)
            stock = PostgresStockView(pool)
            pauses = SalesPauses(PostgresPauseStore(pool: pool))
            relay = OutboxRelay(
                PostgresOutbox(pool), messagePublisher: try fleet.messagePublisher(of: .orchestrator, for: "outbox"),
                signal: outboxSignal)
            publishing = EventPublishing(book, relay: relay)
            dispatcher = try Self.dispatcher(fleet)
            queues = QueueWatch(try QueueInspector(fleet.settings, logger: fleet.logger))
            statistics = FleetStatsCollector(
                FleetNumbers(pool), queues, outages: outages, metrics: fleet.metrics, logger: fleet.logger)
        }

        func runner(_ connection: PostgresConnection) -> SagaRunner<Store> {
            SagaRunner(
                store: PostgresSagaStore(connection, recent: recent),
                patience: RetryPolicy(
                    stepTimeout: fleet.settings.stepTimeout, attempts: fleet.settings.stepAttempts),
                meters: meters, logger: fleet.logger)
        }

        func desk(_ runner: SagaRunner<Store>, _ requests: any RequestStore) -> PurchaseAdmission<Store> {
            PurchaseAdmission(
                runner, requests: requests, catalogue: catalogue, stock: stock, availability: availability,
                hints: hints, hold: fleet.settings.hold,
                pauses: pauses)
        }

        func progress(_ runner: SagaRunner<Store>) -> PurchaseProgress<Store> {
            PurchaseProgress(runner, hints: hints, watchers: watchers)
        }

        func epochWatch() -> EpochWatch {
            EpochWatch(stock, logger: fleet.logger) { [availability, catalogue, recent] epoch in
                availability.trust(only: epoch.stock)
                await catalogue.forget()
                recent.forget()
            }
        }

        var verification: SharedVerification {
            let (settings, logger) = (fleet.settings, fleet.logger)
            return SharedVerification { options in
                Verifier(
                    databaseURL: settings.databaseURL, comparesProvider: settings.paymentProvider == .simulated,
                    options: options, logger: logger)
            }
        }

        var sagaQueries: SagaQueries<PurchaseSaga> { SagaQueries<PurchaseSaga>(pool) }

        func streams() -> SagaStreams {
            SagaStreams(
                watchers: watchers, timelines: SagaTimelines(sagaQueries),
                places: StreamPlaces(fleet.settings.httpStreams, metrics: fleet.metrics))
        }

        func clerks() throws -> [any Service] {
            switch fleet.settings.deadLetters {
            case .queued: []
            case .filed:
                [
                    PeriodicJobRunner(
                        DeadLetterCollector(
                            box: try DeadLetterBox(brokerURL: fleet.settings.brokerURL, logger: fleet.logger),
                            file: DeadLetterStore(pool)), every: .seconds(1),
                        batch: DeadLetterCollector.batch, health: fleet.health, logger: fleet.logger),
                    PeriodicJobRunner(
                        DeadLetterCleaner(file: DeadLetterStore(pool)), every: .seconds(600),
                        batch: DeadLetterCleaner.batch, health: fleet.health, logger: fleet.logger),
                ]
            }
        }

        func operators() throws -> OperatorRoutes {
            let keys = OperatorKeys(fleet.settings.operatorKeys)
            let file = DeadLetterStore(pool)
            let board = StatusReport(
                pool: pool, statistics: statistics, queues: queues, health: fleet.health,
                roll: ProcessRegistry(try fleet.redis(for: "operators"), prefix: fleet.settings.redisPrefix),
                outages: outages)
            return OperatorRoutes(
                keys: keys, board: board,
                sagas: SagaOperations(
                    pool: pool, queries: SagaQueries<PurchaseSaga>(pool), file: file, board: board,
                    attempts: fleet.settings.stepAttempts),
                letters: DeadLetterRoutes(
                    desk: DeadLetterService(
                        file: file, messagePublisher: try fleet.messagePublisher(of: .orchestrator, for: "replays"))),
                audit: AuditStore(pool),
                pauses: PauseRoutes(pauses: pauses, book: PostgresPauseStore(pool: pool), catalogue: catalogue),
                undelivered: UndeliveredRoutes(answers: undelivered),
                verification: VerifyRoute(verification: verification), logger: fleet.logger)
        }

        /// Its thread is not that of the starts, which are accepted while the broker cannot be reached.
        private static func dispatcher(_ fleet: Fleet) throws -> Dispatcher {
            try ConnectionThread.lend { thread in
                Dispatcher(
                    try fleet.messagePublisher(of: .orchestrator, for: "http", on: thread), on: thread,
                    logger: fleet.logger)
            }
        }

        func intake() -> PurchaseIntake<PurchaseSaga> {
            let advancing = runner(fleet.database(of: .orchestrator, for: "http steps"))
            return ConnectionThread.lend { thread in
                let connection = fleet.database(of: .orchestrator, for: "http starts", on: thread)
                return PurchaseIntake(
                    desk: desk(runner(connection), PostgresRequestStore(connection)), progress: progress(advancing),
                    dispatcher: dispatcher,
                    batch: fleet.settings.batch, on: thread)
            }
        }
    }
}
