// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Blocks} from "./Blocks.sol";
import {DisputedExits} from "./DisputedExits.sol";
import {Disputes} from "./Disputes.sol";
import {Evidence} from "./Evidence.sol";
import {ExitQueue} from "./ExitQueue.sol";
import {Hashing} from "./Hashing.sol";
import {Head} from "./Head.sol";
import {LifeboatBase} from "./LifeboatBase.sol";
import {Module} from "./Module.sol";
import {StandardExits} from "./StandardExits.sol";
import {Surety} from "./Surety.sol";
import {Vault} from "./Vault.sol";

/// @title The root contract
/// @dev Hot paths live here; the rest is in modules that run in this storage by DELEGATECALL, fixed here for ever.
/// Immutable; nobody can touch funds, pause exits or change a period. See ILifeboat.sol for what it promises.
contract Lifeboat is Blocks, Vault, StandardExits, Evidence, ExitQueue {
    using Head for uint256;

    /// @dev What follows a turn, keys, views.
    address public immutable EVIDENCE;
    /// @dev Transactions whose inclusion is unknown.
    address public immutable DISPUTES;
    uint40 private immutable DATA_CHALLENGE_PERIOD;
    uint40 private immutable DATA_RESPONSE_PERIOD;
    uint40 private immutable REACTION;
    uint32 private immutable SLOT;
    uint32 private immutable FINALITY_BLOCKS;
    uint32 private immutable BLOCK_INTERVAL;
    uint32 private immutable SUBMISSION_MARGIN;
    uint40 private immutable ABANDON_PERIOD;
    uint48 private immutable OPERATOR_BOND_GWEI;

    /// @dev What is sent along is the operator's bond.
    constructor(Parameters memory p, address firstOperator, address evidence, address disputes)
        payable
        LifeboatBase(p)
        Blocks(p, firstOperator)
    {
        _requirePossible(p);
        bytes32 parametersHash = keccak256(abi.encode(p));
        if (Module(evidence).PARAMETERS_HASH() != parametersHash) revert ModuleMismatch(evidence);
        if (Module(disputes).PARAMETERS_HASH() != parametersHash) revert ModuleMismatch(disputes);
        EVIDENCE = evidence;
        DISPUTES = disputes;
        DATA_CHALLENGE_PERIOD = p.dataChallengePeriod;
        DATA_RESPONSE_PERIOD = p.dataResponsePeriod;
        REACTION = p.reaction;
        SLOT = p.slot;
        FINALITY_BLOCKS = p.finalityBlocks;
        BLOCK_INTERVAL = p.blockInterval;
        SUBMISSION_MARGIN = p.submissionMargin;
        ABANDON_PERIOD = p.abandonPeriod;
        OPERATOR_BOND_GWEI = p.operatorBondGwei;
        _surety = address(new Surety{value: msg.value}(p));
        _head = _head.withBonded(msg.value >= uint256(p.operatorBondGwei) * 1 gwei);
    }

    /// @dev Everything that is not in this contract is a module's; an unknown call ends in one, refused. ETH that comes with a call that
    /// takes none, or with no call, is refused there.
    fallback() external payable {
        address module = _isDisputes(msg.sig) ? DISPUTES : EVIDENCE;
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

    function _isDisputes(bytes4 call) private pure returns (bool) {
        return call == Disputes.startDispute.selector || call == Disputes.showCompetitor.selector
            || call == Disputes.answerDispute.selector || call == Disputes.decide.selector
            || call == Disputes.disputeBond.selector || call == DisputedExits.startDisputedExits.selector
            || call == DisputedExits.startDisputedExitsFor.selector || call == DisputedExits.challengeDisputedExit.selector;
    }

    function parameters() external view returns (Parameters memory) {
        return Parameters({
            minExitPeriod: MIN_EXIT_PERIOD,
            dataChallengePeriod: DATA_CHALLENGE_PERIOD,
            dataResponsePeriod: DATA_RESPONSE_PERIOD,
            reaction: REACTION,
            anchorAgeBlocks: ANCHOR_AGE_BLOCKS,
            slot: SLOT,
            finalityBlocks: FINALITY_BLOCKS,
            blockInterval: BLOCK_INTERVAL,
            submissionMargin: SUBMISSION_MARGIN,
            abandonPeriod: ABANDON_PERIOD,
            maxBlockTxs: MAX_BLOCK_TXS,
            operatorBondGwei: OPERATOR_BOND_GWEI
        });
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
