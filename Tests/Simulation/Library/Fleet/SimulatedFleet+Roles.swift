import Catalogue
import Contracts
import Engine
import Expiry
import FleetRuntime
import Notification
import Operations
import OrchestratorService
import Payment
import Purchases
import Recommendation
import Reservation
import SagaCore
import ServiceLifecycle
import Topology

extension SimulatedFleet {
    func orchestrator(in process: Incarnation) -> ([any Service], FrontDoor<Definition>) {
        let session = MemorySession(orchestrator, process)
        var patience = RetryPolicy(stepTimeout: plan.stepTimeout, attempts: plan.stepAttempts)
        patience.backoffLimit = plan.backoffLimit
        let store = FlawedSagaStore(MemorySagaStore(session), plan.flaws.sagas)
        let runner = SagaRunner(store: store, patience: patience, logger: logger)
        let client = MemoryCacheClient(cache, process)
        let availability = AvailabilityHints(client, health: HealthRegistry(), logger: logger)
        let hints = PurchaseHints(client, health: HealthRegistry())
        let book = MemoryEventStore(session, stock: reservation)
        let signal = AsyncSignal()
        let undelivered = MemoryUndeliveredAnswers(session, isForgetful: plan.flaws.forgetsAnswers)
        let relay = OutboxRelay(
            book, messagePublisher: messagePublisher(in: process, keeping: undelivered), signal: signal)
        let dispatcher = Dispatcher(messagePublisher(in: process, keeping: undelivered), logger: logger)
        let requests = FlawedRequestStore(MemoryRequestStore(session), plan.flaws.requests)
        let desk = PurchaseAdmission(
            runner, requests: requests, catalogue: EventCatalogue(book),
            stock: MemoryStockView(MemorySession(reservation, process)),
            availability: availability, hints: hints, hold: .seconds(20))
        let progress = PurchaseProgress(runner, hints: hints, watchers: SagaWatchers())
        let commands = CommandsHandler(
            desk: desk, purchases: progress, publishing: EventPublishing(book, relay: relay), requests: requests)
        var services = [
            lane(
                .orchestratorCommands, commands, in: process,
                keeping: undelivered),
            lane(.orchestratorReplies, RepliesHandler(purchases: progress), in: process, keeping: undelivered),
            jobRunner(relay, batch: OutboxRelay.batch, signal: signal),
            jobRunner(StockReconciler(book, signal: signal)), dispatcher,
            jobRunner(
                UndeliveredRelay(undelivered, outlet: externalOutlet(in: process)), batch: UndeliveredRelay.batch),
        ]
        if !plan.flaws.hasNoPlaceKeeper {
            let places = MemoryEventPlaceStore(session, places: recommendation)
            services.append(jobRunner(PlaceReconciler(places, signal: signal), batch: PlaceReconciler.batch))
        }
        if !plan.flaws.hasNoWatchdog {
            services.append(
                jobRunner(
                    Watchdog(runner, messagePublisher: messagePublisher(in: process, keeping: undelivered), limit: 500))
            )
        }
        let intake = PurchaseIntake(desk: desk, progress: progress, dispatcher: dispatcher, batch: plan.batch)
        return (services, FrontDoor(process: process, intake: intake))
    }

    func reservation(in process: Incarnation) -> [any Service] {
        let session = MemorySession(reservation, process)
        let feed = AvailabilityFeed(
            from: MemoryAvailability(session), to: MemoryCacheClient(cache, process), every: .milliseconds(500),
            health: HealthRegistry(), logger: logger)
        let changed = ChangedEvents()
        let worker = ReservationWorker(ledger: FlawedSeatStore(plan.flaws.seats), changed: changed)
        let handler = AvailabilityTelling(
            IdempotentConsumer(worker, ledger: FlawedInboxStore(MemoryInboxStore(session), plan.flaws.inbox)),
            changed: changed, to: feed)
        return [feed, lane(.commands(of: .reservation), handler, in: process)]
    }

    func payment(in process: Incarnation) -> [any Service] {
        let session = MemorySession(payment, process)
        let book = FlawedChargeStore(plan.flaws.charges)
        let ledger = FlawedInboxStore(MemoryInboxStore(session), plan.flaws.inbox)
        let desk = PaymentGateway(
            plan.flaws.provider(MemoryProvider(provider, process)),
            limits: .init(
                width: 1_000, patience: .seconds(1), breaker: CircuitBreaker(threshold: 20, pause: .seconds(1))),
            health: HealthRegistry(), logger: logger)
        let worker = PaymentWorker(book: book, desk: desk, logger: logger)
        let due = PendingCharges(
            book: book, ledger: ledger, desk: desk, messagePublisher: messagePublisher(in: process), logger: logger)
        return [
            lane(.commands(of: .payment), ExternalCallConsumer(worker, ledger: ledger), in: process),
            jobRunner(due, batch: 200),
        ]
    }

    func notification(in process: Incarnation) -> [any Service] {
        let worker = NotificationWorker(
            store: MemoryNotificationStore(), desk: NotificationSender(sink: MemorySink(letterboxes, process)))
        let ledger = FlawedInboxStore(MemoryInboxStore(MemorySession(notification, process)), plan.flaws.inbox)
        return [lane(.commands(of: .notification), ExternalCallConsumer(worker, ledger: ledger), in: process)]
    }

    func expiry(in process: Incarnation) -> [any Service] {
        let session = MemorySession(expiry, process)
        let timers = MemoryTimers(session)
        let ledger = FlawedInboxStore(MemoryInboxStore(session), plan.flaws.inbox)
        return [
            lane(.commands(of: .expiry), IdempotentConsumer(ExpiryWorker(timers: timers), ledger: ledger), in: process),
            jobRunner(DueTimers(timers, messagePublisher: messagePublisher(in: process), batch: 500), batch: 500),
        ]
    }

    func recommendation(in process: Incarnation) -> [any Service] {
        let ledger = FlawedInboxStore(MemoryInboxStore(MemorySession(recommendation, process)), plan.flaws.inbox)
        let handler = IdempotentConsumer(RecommendationWorker(store: MemoryPlaces()), ledger: ledger)
        return [lane(.commands(of: .recommendation), handler, in: process)]
    }
}
