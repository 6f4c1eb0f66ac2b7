import Connections
import Contracts
import FleetRuntime
import Logging
import OrchestratorService
import Purchases
import RabbitMQ
import SagaCore
import ServiceLifecycle
import Synchronization
import Topology

/// Every process of a fleet, each role several times, on one broker, one cache and one database schema per role.
///
/// All code from the lanes inwards is the real one; only what stands outside a process is simulated.
package final class SimulatedFleet<Definition: PurchaseDefinition>: Sendable {
    package let universe: Universe
    package let plan: Plan
    package let broker: MemoryBroker
    package let cache: MemoryCache
    package let provider = ProviderBook()
    package let letterboxes = Letterboxes()
    package let orchestrator: MemoryDatabase<OrchestratorTables<Definition>>
    package let reservation: MemoryDatabase<ReservationTables>
    package let payment: MemoryDatabase<PaymentTables>
    package let expiry: MemoryDatabase<ExpiryTables>
    package let notification: MemoryDatabase<NotificationTables>
    package let recommendation: MemoryDatabase<RecommendationTables>
    let logger: Logger
    private let processes = Mutex<[String: Incarnation]>([:])
    private let doors = Mutex<[String: FrontDoor<Definition>]>([:])
    private let isStopped = Mutex(false)

    package init(_ plan: Plan, in universe: Universe) {
        self.universe = universe
        self.plan = plan
        broker = MemoryBroker(universe)
        cache = MemoryCache(universe)
        orchestrator = MemoryDatabase("orchestrator", OrchestratorTables())
        reservation = MemoryDatabase("reservation", ReservationTables(), examine: StockJudge.violations)
        payment = MemoryDatabase("payment", PaymentTables())
        expiry = MemoryDatabase("expiry", ExpiryTables())
        notification = MemoryDatabase("notification", NotificationTables())
        recommendation = MemoryDatabase("recommendation", RecommendationTables())
        logger = Logger(label: "simulation") { _ in JudgingLogHandler(universe) }
    }

    /// Starts every process; one that dies is started again after a while.
    package func start() {
        for number in 1...plan.replicas {
            for role in FleetRole.allCases { spawn(role, "\(role.rawValue) \(number)") }
        }
    }

    /// Ends every process for good.
    package func stop() {
        isStopped.withLock { $0 = true }
        for process in processes.withLock({ $0 }).sorted(by: { $0.key < $1.key }) { process.value.die() }
    }

    /// A way in that is open now, if there is any.
    package func frontDoor() -> FrontDoor<Definition>? {
        let open = doors.withLock { $0 }.sorted { $0.key < $1.key }.map(\.value).filter(\.process.isServing)
        return open.isEmpty ? nil : open[universe.number(in: 0...open.count - 1)]
    }

    /// A process that serves now, if there is any.
    package func anyProcess() -> Incarnation? {
        let serving = processes.withLock { $0 }.sorted { $0.key < $1.key }.map(\.value).filter(\.isServing)
        return serving.isEmpty ? nil : serving[universe.number(in: 0...serving.count - 1)]
    }

    private func spawn(_ role: FleetRole, _ name: String) {
        guard !isStopped.withLock({ $0 }) else { return }
        let process = Incarnation(name, in: universe, skew: skew()) { [self] in
            Task(executorPreference: universe.executor) {
                await self.universe.timeline.wait(for: self.universe.pause(from: .milliseconds(50), to: .seconds(5)))
                self.spawn(role, name)
            }
        }
        processes.withLock { $0[name] = process }
        for service in services(of: role, in: process) {
            process.start { [logger] in
                do {
                    try await service.run()
                } catch {
                    logger.error("a service ended", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    /// Every machine's clock is off by another amount.
    private func skew() -> Double {
        plan.skew == 0 ? 0 : universe.draw { Double.random(in: -plan.skew...plan.skew, using: &$0) }
    }

    private func services(of role: FleetRole, in process: Incarnation) -> [any Service] {
        switch role {
        case .orchestrator:
            let (services, door) = orchestrator(in: process)
            doors.withLock { $0[process.name] = door }
            return services
        case .reservation: return reservation(in: process)
        case .payment: return payment(in: process)
        case .notification: return notification(in: process)
        case .expiry: return expiry(in: process)
        case .recommendation: return recommendation(in: process)
        }
    }

    /// - Parameter store: where answers are kept that are not taken.
    func lane(
        _ queue: Queue, _ handler: any BatchHandler, in process: Incarnation,
        keeping store: (any UndeliveredStore)? = nil
    ) -> any Service {
        BatchConsumer(
            queue: queue, inlet: plan.flaws.inlet(MemoryInlet(broker, queue: queue.name, process)),
            messagePublisher: messagePublisher(in: process, keeping: store), handler: handler,
            limits: .init(batch: plan.batch),
            health: HealthRegistry(),
            logger: logger)
    }

    func messagePublisher(in process: Incarnation, keeping store: (any UndeliveredStore)? = nil) -> MessagePublisher {
        let external = ExternalPublisher(
            outlet: externalOutlet(in: process), store: store, health: HealthRegistry(), logger: logger)
        return MessagePublisher(
            outlet: plan.flaws.outlet(MemoryOutlet(broker, process)), external: { external },
            application: process.name, health: HealthRegistry(), logger: logger)
    }

    func externalOutlet(in process: Incarnation) -> any Outlet {
        plan.flaws.externalOutlet(plan.flaws.outlet(MemoryOutlet(broker, process)))
    }

    func jobRunner(_ sweep: any PeriodicJob, batch: Int = .max, signal: AsyncSignal = AsyncSignal()) -> any Service {
        PeriodicJobRunner(
            sweep, every: plan.sweepPeriod, batch: batch, signal: signal, health: HealthRegistry(), logger: logger)
    }
}

/// What the outside may call in an orchestrator process, as its HTTP server does.
package struct FrontDoor<Definition: PurchaseDefinition>: Sendable {
    package let process: Incarnation
    package let intake: PurchaseIntake<Definition>

    /// Runs a request in the process's world.
    package func request<R: Sendable>(
        _ body: (PurchaseIntake<Definition>) async throws -> R
    ) async throws -> R {
        try await RuntimeEnvironment.$simulated.withValue(process) { try await body(intake) }
    }
}
