import SagaCore
import Simulation
import Testing

/// The simulation can fail: each bug, planted alone, is found within a bounded number of seeds.
@Suite struct `Planted bugs` {
    /// A bug that stays hidden for so long would make the simulation worthless against it.
    static let patience: UInt64 = 1_500

    @Test(arguments: PlantedBug.allCases)
    func `a planted bug is found`(_ bug: PlantedBug) throws {
        let found = (1...Self.patience).lazy.map { bug.run(seed: $0) }.first { !$0.violations.isEmpty }
        let report = try #require(found, "\(bug) was not found within \(Self.patience) seeds")
        print("\(bug): found by seed \(report.seed): \(report.violations[0])")
    }
}

/// One thing a fleet could do wrong.
enum PlantedBug: String, CaseIterable, Sendable {
    case inboxForgets, repliesNotSentAgain, acknowledgedBeforeConfirmed, refusalsOverlooked, confirmsImagined
    case releaseBeforeClose, lateCaptureLost, expiryWithoutALook, cancelWithoutRefund, refundWithoutRelease
    case moneyGivenUp, cancelWhileClosingForgotten
    case rejectionsForgotten, idsReused
    case tombstoneForgotten, holdFreedByTheClock, stockUpdatesLost
    case unstableChargeKey, closedWithoutAsking, chargesChangedBlindly, pendingChargesForgotten
    case journalNotAsked, sagasNotLocked, memoryNotDoubted, startsUnchecked, restBeforeTheLetter, noWatchdog
    case fullQueueHoldsAll, answersForgotten, noPlaceKeeper

    func run(seed: UInt64) -> SimulationReport {
        switch self {
        case .releaseBeforeClose: Simulation<ReleasingBeforeClosing>().run(seed: seed)
        case .lateCaptureLost: Simulation<LosingLateCaptures>().run(seed: seed)
        case .expiryWithoutALook: Simulation<ExpiringWithoutALook>().run(seed: seed)
        case .cancelWithoutRefund: Simulation<CancellingWithoutRefund>().run(seed: seed)
        case .refundWithoutRelease: Simulation<RefundingWithoutRelease>().run(seed: seed)
        case .moneyGivenUp: Simulation<GivingUpTheMoney>().run(seed: seed)
        case .cancelWhileClosingForgotten: Simulation<ForgettingCancelsWhileClosing>().run(seed: seed)
        case .inboxForgets, .repliesNotSentAgain, .acknowledgedBeforeConfirmed, .refusalsOverlooked,
            .confirmsImagined, .tombstoneForgotten, .holdFreedByTheClock, .stockUpdatesLost, .unstableChargeKey,
            .closedWithoutAsking, .chargesChangedBlindly, .pendingChargesForgotten, .journalNotAsked,
            .sagasNotLocked, .memoryNotDoubted, .startsUnchecked, .restBeforeTheLetter, .noWatchdog, .fullQueueHoldsAll,
            .answersForgotten, .noPlaceKeeper, .rejectionsForgotten, .idsReused:
            Simulation<PurchaseSaga>(flaws: flaws).run(seed: seed)
        }
    }

    private var flaws: Flaws {
        var flaws = Flaws()
        switch self {
        case .inboxForgets: flaws.inbox = .forgetful
        case .repliesNotSentAgain: flaws.inbox = .silent
        case .acknowledgedBeforeConfirmed: flaws.inlet = { HastyInlet(inner: $0) }
        case .refusalsOverlooked: flaws.outlet = { CarelessOutlet(inner: $0) }
        case .confirmsImagined: flaws.outlet = { DeafOutlet(inner: $0) }
        case .tombstoneForgotten: flaws.seats = .noTombstones
        case .holdFreedByTheClock: flaws.seats = .freedByTheClock
        case .stockUpdatesLost: flaws.seats = .lostUpdates
        case .unstableChargeKey: flaws.provider = { RekeyingProvider($0) }
        case .closedWithoutAsking: flaws.provider = { PresumptuousProvider(inner: $0) }
        case .chargesChangedBlindly: flaws.charges = .blindChanges
        case .pendingChargesForgotten: flaws.charges = .nothingDue
        case .journalNotAsked: flaws.sagas = .noJournal
        case .sagasNotLocked: flaws.sagas = .noLocks
        case .memoryNotDoubted: flaws.sagas = .noDoubt
        case .startsUnchecked: flaws.sagas = .startsUnchecked
        case .restBeforeTheLetter: flaws.sagas = .earlyRest
        case .noWatchdog: flaws.hasNoWatchdog = true
        case .fullQueueHoldsAll: flaws.externalOutlet = { StubbornOutlet(inner: $0) }
        case .noPlaceKeeper: flaws.hasNoPlaceKeeper = true
        case .answersForgotten: flaws.forgetsAnswers = true
        case .rejectionsForgotten: flaws.requests = .rejectionsForgotten
        case .idsReused: flaws.requests = .cancelsUnrecorded
        case .releaseBeforeClose, .lateCaptureLost, .expiryWithoutALook, .cancelWithoutRefund,
            .refundWithoutRelease, .moneyGivenUp, .cancelWhileClosingForgotten:
            break
        }
        return flaws
    }
}
