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
        var patience = SagaPatience(stepTimeout: plan.stepTimeout, attempts: plan.stepAttempts)
        patience.backoffLimit = plan.backoffLimit
        let store = FlawedSagaStore(MemorySagaStore(session), plan.flaws.sagas)
        let runner = SagaRunner(store: store, patience: patience, logger: logger)
        let client = MemoryCacheClient(cache, process)
        let availability = AvailabilityHints(client, health: HealthBoard(), logger: logger)
        let hints = PurchaseHints(client, health: HealthBoard())
        let book = MemoryEventBook(session, stock: reservation)
        let bell = Bell()
        let undelivered = MemoryUndeliveredAnswers(session, isForgetful: plan.flaws.forgetsAnswers)
        let relay = OutboxRelay(book, mailer: mailer(in: process, keeping: undelivered), bell: bell)
        let dispatcher = Dispatcher(mailer(in: process, keeping: undelivered), logger: logger)
        let requests = FlawedRequestStore(MemoryRequestStore(session), plan.flaws.requests)
        let desk = PurchaseDesk(
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
            sweeper(relay, batch: OutboxRelay.batch, bell: bell), sweeper(StockKeeper(book, bell: bell)), dispatcher,
            sweeper(UndeliveredRelay(undelivered, outlet: externalOutlet(in: process)), batch: UndeliveredRelay.batch),
        ]
        if !plan.flaws.hasNoPlaceKeeper {
            let places = MemoryEventPlaces(session, places: recommendation)
            services.append(sweeper(PlaceKeeper(places, bell: bell), batch: PlaceKeeper.batch))
        }
        if !plan.flaws.hasNoWatchdog {
            services.append(sweeper(Watchdog(runner, mailer: mailer(in: process, keeping: undelivered), limit: 500)))
        }
        let intake = PurchaseIntake(desk: desk, progress: progress, dispatcher: dispatcher, batch: plan.batch)
        return (services, FrontDoor(process: process, intake: intake))
    }

    func reservation(in process: Incarnation) -> [any Service] {
        let session = MemorySession(reservation, process)
        let feed = AvailabilityFeed(
            from: MemoryAvailability(session), to: MemoryCacheClient(cache, process), every: .milliseconds(500),
            health: HealthBoard(), logger: logger)
        let changed = ChangedEvents()
        let worker = ReservationWorker(ledger: FlawedSeatLedger(plan.flaws.seats), changed: changed)
        let handler = AvailabilityTelling(
            Inboxed(worker, ledger: FlawedLedger(MemoryLedger(session), plan.flaws.inbox)), changed: changed, to: feed)
        return [feed, lane(.commands(of: .reservation), handler, in: process)]
    }

    func payment(in process: Incarnation) -> [any Service] {
        let session = MemorySession(payment, process)
        let book = FlawedChargeBook(plan.flaws.charges)
        let ledger = FlawedLedger(MemoryLedger(session), plan.flaws.inbox)
        let desk = ProviderDesk(
            plan.flaws.provider(MemoryProvider(provider, process)),
            limits: .init(
                width: 1_000, patience: .seconds(1), breaker: CircuitBreaker(threshold: 20, pause: .seconds(1))),
            health: HealthBoard(), logger: logger)
        let worker = PaymentWorker(book: book, desk: desk, logger: logger)
        let due = PendingCharges(
            book: book, ledger: ledger, desk: desk, mailer: mailer(in: process), logger: logger)
        return [
            lane(.commands(of: .payment), TwoTransactions(worker, ledger: ledger), in: process),
            sweeper(due, batch: 200),
        ]
    }

    func notification(in process: Incarnation) -> [any Service] {
        let worker = NotificationWorker(
            store: MemoryNotifications(), desk: DeliveryDesk(sink: MemorySink(letterboxes, process)))
        let ledger = FlawedLedger(MemoryLedger(MemorySession(notification, process)), plan.flaws.inbox)
        return [lane(.commands(of: .notification), TwoTransactions(worker, ledger: ledger), in: process)]
    }

    func expiry(in process: Incarnation) -> [any Service] {
        let session = MemorySession(expiry, process)
        let timers = MemoryTimers(session)
        let ledger = FlawedLedger(MemoryLedger(session), plan.flaws.inbox)
        return [
            lane(.commands(of: .expiry), Inboxed(ExpiryWorker(timers: timers), ledger: ledger), in: process),
            sweeper(DueTimers(timers, mailer: mailer(in: process), batch: 500), batch: 500),
        ]
    }

    func recommendation(in process: Incarnation) -> [any Service] {
        let ledger = FlawedLedger(MemoryLedger(MemorySession(recommendation, process)), plan.flaws.inbox)
        let handler = Inboxed(RecommendationWorker(store: MemoryPlaces()), ledger: ledger)
        return [lane(.commands(of: .recommendation), handler, in: process)]
    }
}
