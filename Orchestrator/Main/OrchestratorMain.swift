import FleetRuntime
import OrchestratorService

@main
enum OrchestratorMain {
    static func main() async throws {
        try await FleetProcess.main("orchestrator") { fleet in
            try OrchestratorService.services(fleet)
        }
    }
}
