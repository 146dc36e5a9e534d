// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Batches} from "./Batches.sol";
import {Blocks} from "./Blocks.sol";
import {Claims} from "./Claims.sol";
import {Demands} from "./Demands.sol";
import {DisputedExits} from "./DisputedExits.sol";
import {Disputes} from "./Disputes.sol";
import {Evidence} from "./Evidence.sol";
import {ExitQueue} from "./ExitQueue.sol";
import {Hashing} from "./Hashing.sol";
import {Head} from "./Head.sol";
import {LifeboatBase} from "./LifeboatBase.sol";
import {Module} from "./Module.sol";
import {OpenedEntries} from "./OpenedEntries.sol";
import {Shares} from "./Shares.sol";
import {StandardExits} from "./StandardExits.sol";
import {StrikeFall} from "./StrikeFall.sol";
import {Surety} from "./Surety.sol";
import {Vault} from "./Vault.sol";

/// @title The root contract
/// @dev Hot paths live here; the rest is in modules that run in this storage by DELEGATECALL, fixed here for ever.
/// Immutable; nobody can touch funds, pause exits or change a period. See ILifeboat.sol for what it promises.
contract Lifeboat is Blocks, Vault, StandardExits, Evidence, ExitQueue {
    using Head for uint256;

    /// @dev What follows a turn, keys, views.
    address private immutable EVIDENCE;
    /// @dev Transactions whose inclusion is unknown.
    address private immutable DISPUTES;
    /// @dev Many outputs in one call, and what becomes of each.
    address private immutable MASS_EXITS;
    address private immutable ENTRIES;

    /// @dev What is sent along is the operator's bond.
    constructor(Parameters memory p, address firstOperator, address evidence, address disputes, address massExits, address entries)
        payable
        LifeboatBase(p)
        Blocks(p, firstOperator)
    {
        _requirePossible(p);
        bytes32 parametersHash = keccak256(abi.encode(p));
        if (Module(evidence).PARAMETERS_HASH() != parametersHash) revert ModuleMismatch(evidence);
        if (Module(disputes).PARAMETERS_HASH() != parametersHash) revert ModuleMismatch(disputes);
        if (Module(massExits).PARAMETERS_HASH() != parametersHash) revert ModuleMismatch(massExits);
        if (Module(entries).PARAMETERS_HASH() != parametersHash) revert ModuleMismatch(entries);
        EVIDENCE = evidence;
        DISPUTES = disputes;
        MASS_EXITS = massExits;
        ENTRIES = entries;
        _surety = address(new Surety{value: msg.value}(p));
        _head = _head.withBonded(msg.value >= uint256(p.operatorBondGwei) * 1 gwei);
    }

    /// @dev Everything that is not in this contract is a module's; an unknown call ends in one, refused. ETH that comes with a call that
    /// takes none, or with no call, is refused there.
    fallback() external payable {
        address module = EVIDENCE;
        if (_isEntries(msg.sig)) module = ENTRIES;
        else if (_isDisputes(msg.sig)) module = DISPUTES;
        else if (_isMassExits(msg.sig)) module = MASS_EXITS;
        // Assembly: hands the whole reply through, which Solidity has no words for.
        assembly {
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), module, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch ok
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }

    /// @dev Deposits are made by depositEth.
    receive() external payable {
        revert UnknownCall(0);
    }

    /// @return The modules: evidence, disputes, mass exits, entries.
    function modules() external view returns (address, address, address, address) {
        return (EVIDENCE, DISPUTES, MASS_EXITS, ENTRIES);
    }

    function _isDisputes(bytes4 call) private pure returns (bool) {
        return call == Disputes.startDispute.selector || call == Disputes.showCompetitor.selector
            || call == Disputes.answerDispute.selector || call == Disputes.decide.selector
            || call == Disputes.disputeBond.selector || call == DisputedExits.startDisputedExits.selector
            || call == DisputedExits.startDisputedExitsFor.selector || call == DisputedExits.challengeByPlace.selector;
    }

    function _isMassExits(bytes4 call) private pure returns (bool) {
        return call == Batches.exitBond.selector || call == Batches.startBatch.selector
            || call == Batches.lockBatch.selector
            || call == Batches.dissolveBatch.selector || call == Batches.closeBatch.selector
            || call == Batches.batchBond.selector || call == StrikeFall.dropStrike.selector
            || call == Demands.demandEntry.selector || call == Demands.answerDemand.selector
            || call == Demands.reclaimDemand.selector || call == Demands.demandBond.selector;
    }

    function _isEntries(bytes4 call) private pure returns (bool) {
        return call == Claims.claimEntries.selector || call == Claims.claimForFee.selector
            || call == OpenedEntries.openEntry.selector || call == OpenedEntries.strikeEntries.selector
            || call == OpenedEntries.placeEntry.selector || call == Shares.adoptExit.selector
            || call == Shares.releaseEntry.selector;
    }

    /// @dev Spec section 10: the windows that the exit games' proofs of safety rest on. protocol/parameters.ts says the same.
    function _requirePossible(Parameters memory p) private pure {
        uint256 mep = p.minExitPeriod;
        uint256 anchorAge = uint256(p.anchorAgeBlocks) * p.slot;
        _require(
            mep != 0 && p.dataChallengePeriod != 0 && p.dataResponsePeriod != 0 && p.reaction != 0 && anchorAge != 0
                && p.finalityBlocks != 0 && p.blockInterval != 0 && p.submissionMargin != 0 && p.maxBlockTxs != 0
                && p.operatorBondGwei != 0,
            "zero"
        );
        // Times have 40 bits: a longer period would wrap, and an exit be payable at once.
        _require(mep <= type(uint32).max && p.abandonPeriod <= type(uint32).max, "periods < 2^32");
        _require(4 * (uint256(p.dataChallengePeriod) + p.dataResponsePeriod) <= mep, "DC + DR <= MEP / 4");
        // Or a challenge can't be made, or not answered, by whoever reacts as fast as is assumed.
        _require(p.reaction <= p.dataChallengePeriod && p.reaction <= p.dataResponsePeriod, "REACTION <= DC, DR");
        _require(32 * anchorAge <= 3 * mep, "ANCHOR_AGE * 4/3 <= MEP / 8");
        _require(p.anchorAgeBlocks <= 6_000, "ANCHOR_AGE <= 6000");
        _require(
            anchorAge >= uint256(p.finalityBlocks) * p.slot + p.blockInterval + p.submissionMargin,
            "ANCHOR_AGE >= finality + ..."
        );
        _require(p.abandonPeriod >= mep, "ABANDON_PERIOD >= MEP");
        _require(p.maxBlockTxs <= 1 << 16, "MAX_BLOCK_TXS <= 2^16");
    }

    function _require(bool holds, bytes32 rule) private pure {
        if (!holds) revert ParametersImpossible(rule);
    }
}
