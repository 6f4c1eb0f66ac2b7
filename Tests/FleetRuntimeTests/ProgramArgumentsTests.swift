import Hosting
import Testing

@Suite struct `The arguments of a program` {
    @Test func `ask for help or the version before anything is started, wherever they stand`() {
        for words in [["--help"], ["-h"], ["help"], ["payment", "--help"]] {
            #expect(ProgramArguments.Request(words) == .help, "\(words)")
        }
        #expect(ProgramArguments.Request(["--version"]) == .version)
        #expect(ProgramArguments.Request(["payment", "expiry"]) == .work(["payment", "expiry"]))
        #expect(ProgramArguments.Request([]) == .work([]))
    }

    @Test func `are refused when they make no sense`() {
        #expect(ProgramArguments.Request(["--loud"]) == .nonsense("there is no option '--loud'"))
        #expect(ProgramArguments.Request(["payment", "-x"]) == .nonsense("there is no option '-x'"))
    }
}
