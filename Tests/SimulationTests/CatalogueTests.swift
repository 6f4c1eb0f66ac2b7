import Catalogue
import Contracts
import FoundationEssentials
import OrchestratorService
import SagaCore
import Simulation
import Testing

@Suite struct `The catalogue` {
    @Test func `knows every event it is asked for, also when it has to forget some`() {
        let universe = Universe(seed: 1, recorded: false)
        let database = MemoryDatabase("orchestrator", OrchestratorTables<PurchaseSaga>())
        let stock = MemoryDatabase("reservation", ReservationTables())
        let isOver = universe.run {
            let process = Incarnation("test", in: universe) {}
            let book = MemoryEventStore(MemorySession(database, process), stock: stock)
            do {
                let events = (0..<3).map { _ in EventID.make() }
                for id in events {
                    let event = Stage.event(at: universe.timeline.date)
                    _ = try await book.add(NewEvent(id: id, event: event, key: nil, fingerprint: .init()), [])
                }
                let catalogue = EventCatalogue(book, bytes: 3_000)
                _ = try await catalogue.events(Set(events.prefix(2)))
                let found = try await catalogue.events(Set(events))
                #expect(Set(found.keys) == Set(events))
            } catch {
                Issue.record(error)
            }
        }
        #expect(isOver)
    }
}
