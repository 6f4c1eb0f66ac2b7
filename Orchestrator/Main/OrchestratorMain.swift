import Hosting
import OrchestratorService

@main
enum OrchestratorMain {
    private static let usage = """
        orchestrator   runs the sagas and serves HTTP until SIGTERM or SIGINT; the settings come from the environment and
                       are listed in the README

          --help       shows this
          --version    shows the version

        \(ProgramArguments.exits)
        """

    static func main() async {
        let arguments = ProgramArguments("orchestrator", usage: usage)
        if let word = arguments.words.first { arguments.refuse("it takes no '\(word)'") }
        await FleetProcess.main("orchestrator") { fleet in
            try OrchestratorService.services(fleet)
        }
    }
}
