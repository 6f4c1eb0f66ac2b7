import FleetRuntime
import Payment
import Reservation

/// What is wrong with a fleet, for proving that the simulation would notice; nothing, unless a test says so.
///
/// Each flaw wraps or replaces one port; the code under test stays as it is.
package struct Flaws: Sendable {
    package var inlet: @Sendable (any Inlet) -> any Inlet = { $0 }
    package var outlet: @Sendable (any Outlet) -> any Outlet = { $0 }
    /// What leaves the fleet goes by this.
    package var externalOutlet: @Sendable (any Outlet) -> any Outlet = { $0 }
    package var forgetsAnswers = false
    package var provider: @Sendable (any PaymentProvider) -> any PaymentProvider = { $0 }
    package var inbox = InboxFlaw.none
    package var seats = SeatFlaw.none
    package var charges = ChargeFlaw.none
    package var sagas = SagaFlaw.none
    package var requests = RequestFlaw.none
    package var hasNoWatchdog = false
    package var hasNoPlaceKeeper = false

    package init() {}
}

/// What can be wrong with an inbox.
package enum InboxFlaw: Sendable {
    case none
    /// Every message counts as fresh.
    case forgetful
    /// A repeat is recognised, and its recorded replies are not sent again.
    case silent
}

/// What can be wrong with the stock.
package enum SeatFlaw: Sendable {
    case none
    /// A release that comes before its reserve leaves no tombstone.
    case noTombstones
    /// A hold past its deadline counts as given back.
    case freedByTheClock
    /// The stock is read without locks and written without a look at its version.
    case lostUpdates
}

/// What can be wrong with the books of payments.
package enum ChargeFlaw: Sendable {
    case none
    /// A change is made whatever stands by now.
    case blindChanges
    /// Charges that fall due are never looked at.
    case nothingDue
}

/// What can be wrong with the sagas' store.
package enum SagaFlaw: Sendable {
    case none
    /// The journal is not asked whether a message was taken before.
    case noJournal
    /// A finished saga does not wait for its letter.
    case earlyRest
    /// Rows are written without locks.
    case noLocks
    /// What is remembered is written, whatever the rows say by now.
    case noDoubt
    /// A start that nothing stands in the way of any more counts as made, although it was not.
    case startsUnchecked
}

/// What can be wrong with the record of requests.
package enum RequestFlaw: Sendable {
    case none
    /// Rejections are not recorded.
    case rejectionsForgotten
    /// A cancel's id is not recorded, so that it may be another request's.
    case cancelsUnrecorded
}
