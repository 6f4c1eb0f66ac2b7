import Foundation
import TestKit
import Testing

/// What the one script does when it is asked for the wrong thing, or finds the wrong thing.
@Suite struct `The one script` {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

    /// Runs lines of shell with the script's parts at hand, in a run directory of its own.
    private func shell(_ lines: String) async throws -> (status: Int32, output: String) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "run-\(UUID().uuidString)")
        let preamble = """
            set -euo pipefail
            ROOT='\(Self.root.path)' COMPOSE='\(Self.root.path)/compose' RUN='\(folder.path)'
            for part in "$COMPOSE"/lib/*.sh; do source "$part"; done
            mkdir -p "$RUN/pid" "$RUN/ports" "$RUN/log"
            on_exit remove_run
            remove_run() { rm -rf "$RUN"; }

            """
        return try await Command.attempt("/bin/bash", ["-c", preamble + lines])
    }

    @Test func `names the processes that can be started, stopped and restarted`() async throws {
        for command in ["start", "stop", "restart"] {
            for arguments in [[command], [command, "dance"]] {
                let (status, output) = try await Command.attempt(
                    Self.root.appending(path: "compose/dev").path, arguments,
                    environment: ["TURNSTILE_RUN": "/nonexistent"])
                #expect(status == 1)
                #expect(output.contains("orchestrator reservation payment notification expiry recommendation"))
            }
        }
    }

    @Test func `takes a killed process for running as long as any of its threads is, for it holds its ports so long`()
        async throws
    {
        // A process whose first thread has ended, and another has not.
        let program = """
            import ctypes, os, threading, time
            def outlive():
                time.sleep(0.2)
                print("gone", flush=True)
                time.sleep(60)
            threading.Thread(target=outlive).start()
            ctypes.CDLL(None).syscall(\(Self.exitCall), 0)
            """
        let (status, output) = try await shell(
            """
            python3 -c '\(program)' >"$RUN/said" &
            child=$!
            until grep -qs gone "$RUN/said"; do sleep 0.05; done
            grep -q ') Z ' "/proc/$child/stat" && birth "$child" >/dev/null && echo running
            kill -9 "$child"
            wait "$child" || true
            birth "$child" >/dev/null || echo ended
            """)
        #expect(status == 0, "\(output)")
        // The shell says in between that the process was killed.
        #expect(output.hasPrefix("running\n") && output.hasSuffix("ended\n"), "\(output)")
    }

    @Test func `waits for a port that a killed server still holds, and never gives it up under a running fleet`()
        async throws
    {
        let listener = """
            import socket, sys, time
            s = socket.socket()
            s.bind(("127.0.0.1", 0))
            s.listen()
            print(s.getsockname()[1], flush=True)
            time.sleep(float(sys.argv[1]))
            """
        let listening = """
            python3 -c '\(listener)' SECONDS >"$RUN/port" &
            until [[ -s $RUN/port ]]; do sleep 0.05; done
            cp "$RUN/port" "$RUN/ports/amqp"

            """
        let kept = try await shell(
            listening.replacing("SECONDS", with: "1")
                + #"choose_port amqp 20000; cmp "$RUN/port" "$RUN/ports/amqp" && echo kept"#)
        #expect(kept.output.contains("kept"), "\(kept.output)")
        let refused = try await shell(
            listening.replacing("SECONDS", with: "30")
                + #"PORT_PATIENCE=0; fleet_runs() { true; }; on_exit end; end() { kill %1; }; choose_port amqp 20000"#)
        #expect(refused.status == 1)
        #expect(refused.output.contains("the running fleet knows no other"), "\(refused.output)")
        let moved = try await shell(
            listening.replacing("SECONDS", with: "30")
                + #"PORT_PATIENCE=0; fleet_runs() { false; }; choose_port amqp 20000; kill %1; cmp -s "$RUN/port" "$RUN/ports/amqp" || echo moved"#
        )
        #expect(moved.output.contains("moved"), "\(moved.output)")
    }

    @Test func `leaves nothing running that a job had started, however the job ended`() async throws {
        let (status, output) = try await shell(
            #"""
            start_job "$RUN" bash -c 'sleep 300 & echo $! >child; exec sleep 300'
            until [[ -s $RUN/child ]]; do sleep 0.05; done
            kill -9 "$JOB"
            finish_job || true
            birth "$(cat "$RUN/child")" >/dev/null || echo "nobody is left"
            """#)
        #expect(status == 0, "\(output)")
        #expect(output.contains("nobody is left"), "\(output)")
    }

    #if arch(x86_64)
        private static let exitCall = 60
    #else
        private static let exitCall = 93
    #endif
}
