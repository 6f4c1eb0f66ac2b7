import Connections

/// The words behind a program's name: whoever asks for help or the version gets that and nothing is started.
package struct ProgramArguments: Sendable {
    /// Exit status for a command line that makes no sense (`EX_USAGE` of sysexits).
    private static let badUsage: Int32 = 64

    private let program: String
    /// What is not an option.
    package let words: [String]

    /// What a command line asks for before any work.
    package enum Request: Equatable {
        case work([String])
        case help, version
        case nonsense(String)

        package init(_ arguments: some Sequence<String>) {
            var words: [String] = []
            for argument in arguments {
                switch argument {
                case "-h", "--help", "help":
                    self = .help
                    return
                case "--version":
                    self = .version
                    return
                case _ where argument.hasPrefix("-"):
                    self = .nonsense("there is no option '\(argument)'")
                    return
                default: words.append(argument)
                }
            }
            self = .work(words)
        }
    }

    /// - Parameter usage: what `--help` prints.
    package init(_ program: String, usage: String) {
        self.program = program
        switch Request(CommandLine.arguments.dropFirst()) {
        case .work(let words): self.words = words
        case .help:
            print(usage)
            leave()
        case .version:
            print("\(program) \(Release.version)")
            leave()
        case .nonsense(let mistake):
            StartupFailure.exit(status: Self.badUsage, lines: ["\(program): \(mistake); try: \(program) --help"])
        }
    }

    /// Ends the process with one line for whoever typed.
    package func refuse(_ mistake: String) -> Never {
        StartupFailure.exit(status: Self.badUsage, lines: ["\(program): \(mistake); try: \(program) --help"])
    }
}

extension ProgramArguments {
    /// How a process of the fleet ends, for its help.
    package static let exits = """
        Exit status: 0 after SIGTERM or SIGINT, 64 for a command line that makes no sense, 69 when it cannot go on, 78 for
        settings that cannot work; the last line says why.
        """
}
