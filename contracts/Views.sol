// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BatchRecord} from "./BatchRecord.sol";
import {BlockRecord} from "./BlockRecord.sol";
import {DisputeRecord} from "./DisputeRecord.sol";
import {ExitRecord} from "./ExitRecord.sol";
import {Head} from "./Head.sol";
import {Module} from "./Module.sol";

/// @title Reading the root contract's storage
/// @dev In a module because calls are matched to functions one by one: each view in the root contract would cost every hot call 22 gas.
abstract contract Views is Module {
    using BatchRecord for uint256;
    using BlockRecord for uint256;
    using DisputeRecord for uint256;
    using ExitRecord for uint256;
    using Head for uint256;

    uint40 private immutable DATA_CHALLENGE_PERIOD;
    uint40 private immutable DATA_RESPONSE_PERIOD;
    uint40 private immutable REACTION;
    uint32 private immutable ANCHOR_AGE_BLOCKS;
    uint32 private immutable SLOT;
    uint32 private immutable FINALITY_BLOCKS;
    uint32 private immutable BLOCK_INTERVAL;
    uint32 private immutable SUBMISSION_MARGIN;
    uint40 private immutable ABANDON_PERIOD;
    uint32 private immutable MAX_BLOCK_TXS;
    uint48 private immutable OPERATOR_BOND_GWEI;

    constructor(Parameters memory p) {
        DATA_CHALLENGE_PERIOD = p.dataChallengePeriod;
        DATA_RESPONSE_PERIOD = p.dataResponsePeriod;
        REACTION = p.reaction;
        ANCHOR_AGE_BLOCKS = p.anchorAgeBlocks;
        SLOT = p.slot;
        FINALITY_BLOCKS = p.finalityBlocks;
        BLOCK_INTERVAL = p.blockInterval;
        SUBMISSION_MARGIN = p.submissionMargin;
        ABANDON_PERIOD = p.abandonPeriod;
        MAX_BLOCK_TXS = p.maxBlockTxs;
        OPERATOR_BOND_GWEI = p.operatorBondGwei;
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

    function domainSeparator() external view returns (bytes32) {
        return _domainSeparator();
    }

    function head() external view returns (uint32, uint32, uint40, uint32, uint24, uint32, uint40) {
        uint256 h = _head;
        return (
            _haltOf(h).voidFrom,
            uint32(h.newest()),
            uint40(h.newestTime()),
            uint32(h.newestAnchor()),
            uint24(h.depositCount()),
            uint32(h.slowFeeGwei()),
            _haltOf(h).lastMove
        );
    }

    function isInvalid(uint64 transactionPosition) external view returns (bool) {
        return _isInvalid(transactionPosition);
    }

    function operator() external view returns (address) {
        return _operator;
    }

    function wasOperator(address key) external view returns (bool) {
        return _wasOperator[key];
    }

    function surety() external view returns (address) {
        return _surety;
    }

    function isBonded() external view returns (bool) {
        return _head.isBonded();
    }

    function blockRecord(uint256 blockNumber) external view returns (bytes25, uint24, uint32) {
        uint256 record = _blocks[blockNumber];
        return (record.headerHash(), record.youngCount(), record.youngNext());
    }

    function depositRecord(uint256 position) external view returns (bytes27, uint40) {
        DepositRecord storage d = _deposits[position];
        return (d.depositHash, d.l1Block);
    }

    function totals(address token) external view returns (uint128, uint128) {
        Totals storage t = _totals[token];
        return (t.funded, t.line);
    }

    function credit(address token, address account) external view returns (uint256) {
        return _credits[token][account];
    }

    function revokedAt(address owner, uint64 epoch) external view returns (uint256) {
        return _revokedAt[owner][epoch];
    }

    function exitRecord(bytes32 outputId)
        external
        view
        returns (bytes25, ExitState, uint64, bool, bool, uint256, bool)
    {
        uint256 record = _exits[outputId];
        uint256 running = record.running() + _moreRunning[outputId];
        return (record.hashOf(), record.state(), record.evidence(), record.hasMore(), record.isRewarded(), running, record.isContested());
    }

    function disputeRecord(bytes32 txHash)
        external
        view
        returns (bytes25, Verdict, uint64, bool, bool, uint64, uint256)
    {
        uint256 record = _disputes[txHash].record;
        uint256 pieces = _disputes[txHash].pieces;
        return (
            record.disputeHash(),
            record.verdict(),
            record.answer(),
            record.hasCompetitor(),
            record.isFallen(),
            pieces.firstCompetitor(),
            pieces.count()
        );
    }

    function batchRecord(bytes32 batchId) external view returns (BatchState, bool, uint256, uint256) {
        uint256 record = _batches[batchId];
        return (record.stage(), record.isClosed(), record.demands(), record.fund());
    }

    function queue() external view returns (uint40, uint40, uint32, uint32, uint32) {
        Queue storage q = _queue;
        return (q.oldHead, q.oldTail, q.youngFirst, q.youngNewest, q.youngCursor);
    }

    function ticket(bytes32 outputId) external view returns (uint128, uint128) {
        Ticket storage t = _tickets[outputId];
        return (t.from, t.due);
    }
}
