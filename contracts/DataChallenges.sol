// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BlockTree} from "./BlockTree.sol";
import {Hashing} from "./Hashing.sol";
import {ILifeboatTypes} from "./ILifeboatTypes.sol";
import {OperatorBond} from "./OperatorBond.sol";
import {TransactionRules} from "./TransactionRules.sol";

/// @title Forcing leaves of a block into the open
/// @dev Spec section 8.6. The price grows with the number of distinct groups of 64 leaves challenged, not of challenges, so that nobody
/// prices others out. Beyond HALVED_AFTER groups an answer is paid half its cost, and the bond is half: an operator who serves its blocks
/// through L1 only bleeds with its challengers.
abstract contract DataChallenges is OperatorBond {
    /// @dev 32 leaves of 16 in 16 out are 121 kB of calldata: nodes pass on transactions of at most 128 KiB.
    uint256 private constant MOST_LEVELS = 5;
    uint256 private constant MOST_REVEALED_LEVELS = 6;
    uint256 private constant GROUP_LEVELS = 6;
    uint256 private constant HALVED_AFTER = 16;
    /// @dev Gas that a bond is sized by: an answer with 4 outputs a leaf, once and a tenth.
    uint256 private constant BOND_BASE_GAS = 90_000;
    uint256 private constant BOND_LEAF_GAS = 30_000;
    /// @dev What `exitBond` is in units of F (spec 8.3).
    uint256 private constant EXIT_BOND_GAS = 400_000;
    uint256 private constant CLEAR_BITS = 56;

    uint256 private immutable CHALLENGE_PERIOD;
    uint256 private immutable RESPONSE_PERIOD;

    /// @dev From the top: 200 bits of the challenge's hash, its state.
    mapping(uint256 range => uint256 record) private _challenges;
    mapping(uint256 blockNumber => uint256 count) private _groupCount;
    mapping(uint256 blockNumber => mapping(uint256 word => uint256 bits)) private _groups;

    constructor(ILifeboatTypes.Parameters memory p) {
        CHALLENGE_PERIOD = p.dataChallengePeriod;
        RESPONSE_PERIOD = p.dataResponsePeriod;
    }

    function challengeData(uint32 blockNumber, ILifeboatTypes.Header calldata header, uint32 first, uint8 levels)
        external
        payable
        nonReentrant
    {
        _requireHeader(blockNumber, header);
        (uint32 voidFrom,,,,,,) = ROOT.head();
        if (voidFrom != 0 && blockNumber >= voidFrom) revert BlockVoid(blockNumber, voidFrom);
        uint256 deadline = header.timestamp + CHALLENGE_PERIOD;
        if (block.timestamp > deadline) revert ChallengeTooLate(block.timestamp, deadline);
        if (
            levels > MOST_LEVELS || first >= header.txCount || first & ((1 << levels) - 1) != 0
                || (levels != 0 && 1 << (levels - 1) >= header.txCount)
        ) revert RangeMalformed(first, levels, header.txCount);
        uint256 range = _rangeOf(blockNumber, first, levels);
        if (_challenges[range] != 0) revert ChallengeKnown(blockNumber, first, levels);
        uint256 groups = _countGroup(blockNumber, first);
        uint256 want = _bondOf(groups, levels);
        if (msg.value < want) revert BondTooSmall(msg.value, want);
        DataChallenge memory challenge = DataChallenge({
            blockNumber: blockNumber,
            first: first,
            levels: levels,
            halved: groups > HALVED_AFTER,
            startedAt: uint40(block.timestamp),
            blockTime: header.timestamp,
            txCount: header.txCount,
            root: header.root,
            challenger: msg.sender,
            bond: uint128(msg.value)
        });
        _challenges[range] = _recordOf(keccak256(abi.encode(challenge)), ChallengeState.Open);
        emit DataChallenged(blockNumber, challenge);
    }

    function revealData(
        uint32 first,
        uint8 levels,
        DataChallenge[] calldata challenges,
        ILifeboatTypes.Transaction[] calldata transactions,
        bytes calldata witnesses,
        bytes32[] calldata path
    ) external nonReentrant {
        DataChallenge calldata one = challenges[0];
        if (levels > MOST_REVEALED_LEVELS) revert RangeMalformed(first, levels, one.txCount);
        uint256 cost = _requireRevealed(one, first, levels, transactions, witnesses, path);
        uint256 left = cost * (block.basefee > 1 gwei ? block.basefee : 1 gwei) * 11 / 10;
        uint256 paid = 0;
        for (uint256 i = 0; i < challenges.length; i++) {
            DataChallenge calldata c = challenges[i];
            bytes32 hash = _requireOpen(c);
            uint256 deadline = c.startedAt + RESPONSE_PERIOD;
            if (block.timestamp > deadline) revert ChallengeTooLate(block.timestamp, deadline);
            if (
                c.blockNumber != one.blockNumber || c.first < first
                    || c.first + (1 << c.levels) > uint256(first) + (1 << levels)
            ) revert RangeMalformed(c.first, c.levels, c.txCount);
            uint256 share = left < c.bond ? left : c.bond;
            left -= share;
            paid += c.halved ? share / 2 : share;
            _close(c, hash, ChallengeState.Answered);
            emit DataRevealed(c.blockNumber, c.first, c.levels, msg.sender, c.halved ? share / 2 : share);
        }
        emit LeavesRevealed(one.blockNumber, first, levels, transactions, witnesses, path);
        _pay(msg.sender, paid);
    }

    function endChallenge(DataChallenge calldata c) external nonReentrant {
        bytes32 hash = _requireOpen(c);
        (uint32 voidFrom,,,,,,) = ROOT.head();
        bool isVoid = voidFrom != 0 && c.blockNumber >= voidFrom;
        uint256 deadline = c.startedAt + RESPONSE_PERIOD;
        if (!isVoid && block.timestamp <= deadline) revert TooEarly(block.timestamp, deadline);
        _close(c, hash, ChallengeState.Ended);
        bool isHalt = !isVoid && ROOT.haltFrom(c.blockNumber, c.blockTime);
        emit DataChallengeEnded(c.blockNumber, c.first, c.levels, isHalt);
        if (isHalt) _slashHalt(c.challenger);
        _pay(c.challenger, c.bond);
    }

    function challengeBond(uint32 blockNumber, uint32 first, uint8 levels) external view returns (uint256) {
        (uint256 word, uint256 bit) = _groupOf(first);
        bool isNew = _groups[blockNumber][word] & bit == 0;
        return _bondOf(_groupCount[blockNumber] + (isNew ? 1 : 0), levels);
    }

    function challengeRecord(uint32 blockNumber, uint32 first, uint8 levels)
        external
        view
        returns (bytes25, ChallengeState)
    {
        uint256 record = _challenges[_rangeOf(blockNumber, first, levels)];
        return (bytes25(bytes32(record)), ChallengeState(uint8(record)));
    }

    function challengedGroups(uint32 blockNumber) external view returns (uint256) {
        return _groupCount[blockNumber];
    }

    /// @return cost Gas by formula: by the shape of what is revealed, since bytes could be padded.
    function _requireRevealed(
        DataChallenge calldata c,
        uint256 first,
        uint256 levels,
        ILifeboatTypes.Transaction[] calldata transactions,
        bytes calldata witnesses,
        bytes32[] calldata path
    ) private view returns (uint256 cost) {
        if (first >= c.txCount || first & ((1 << levels) - 1) != 0) revert RangeMalformed(first, levels, c.txCount);
        uint256 count = c.txCount - first;
        if (count > 1 << levels) count = 1 << levels;
        if (transactions.length != count) revert NotRevealed(c.blockNumber, first, levels);
        bytes32 separator = _domainSeparator();
        bytes32[] memory leaves = new bytes32[](count);
        uint256 offset = 0;
        cost = 62_000 + 700 * path.length;
        for (uint256 i = 0; i < count; i++) {
            ILifeboatTypes.Transaction calldata transaction = transactions[i];
            uint256 size = 64 * transaction.inputs.length;
            if (offset + size > witnesses.length || !TransactionRules.isWellFormed(transaction, size)) {
                revert TransactionMalformed(first + i);
            }
            bytes32 txHash = Hashing.transactionHash(transaction, separator);
            leaves[i] = Hashing.leaf(txHash, keccak256(witnesses[offset:offset + size]));
            offset += size;
            cost += 5_000 + 3_200 * transaction.inputs.length + 3_200 * transaction.outputs.length;
        }
        if (offset != witnesses.length) revert NotRevealed(c.blockNumber, first, levels);
        bytes32 node = BlockTree.foldSubtree(leaves, levels);
        if (!BlockTree.isSubtree(node, first >> levels, levels, c.txCount, c.root, path)) {
            revert NotRevealed(c.blockNumber, first, levels);
        }
    }

    function _requireOpen(DataChallenge calldata c) private view returns (bytes32 hash) {
        uint256 record = _challenges[_rangeOf(c.blockNumber, c.first, c.levels)];
        hash = Hashing.dataChallengeOf(c);
        if (record != _recordOf(hash, ChallengeState.Open)) {
            revert ChallengeMismatch(c.blockNumber, c.first, c.levels);
        }
    }

    function _close(DataChallenge calldata c, bytes32 hash, ChallengeState state) private {
        _challenges[_rangeOf(c.blockNumber, c.first, c.levels)] = _recordOf(hash, state);
    }

    function _recordOf(bytes32 hash, ChallengeState state) private pure returns (uint256) {
        return (uint256(hash) >> CLEAR_BITS << CLEAR_BITS) | uint256(state);
    }

    function _rangeOf(uint256 blockNumber, uint256 first, uint256 levels) private pure returns (uint256) {
        return blockNumber << 64 | first << 8 | levels;
    }

    function _groupOf(uint256 first) private pure returns (uint256 word, uint256 bit) {
        uint256 group = first >> GROUP_LEVELS;
        return (group >> 8, 1 << (group & 255));
    }

    function _countGroup(uint256 blockNumber, uint256 first) private returns (uint256 count) {
        (uint256 word, uint256 bit) = _groupOf(first);
        uint256 bits = _groups[blockNumber][word];
        count = _groupCount[blockNumber];
        if (bits & bit != 0) return count;
        _groups[blockNumber][word] = bits | bit;
        count++;
        _groupCount[blockNumber] = count;
    }

    function _bondOf(uint256 groups, uint256 levels) private view returns (uint256) {
        uint256 fee = ROOT.exitBond() / EXIT_BOND_GAS;
        uint256 bond = (BOND_BASE_GAS + (BOND_LEAF_GAS << levels)) * fee * (64 + groups) / 64;
        return groups > HALVED_AFTER ? bond / 2 : bond;
    }

    /// @dev The block's header, as the root contract knows it.
    function _requireHeader(uint256 blockNumber, ILifeboatTypes.Header calldata header) internal view {
        (bytes25 known,,) = ROOT.blockRecord(blockNumber);
        if (known == 0) revert BlockUnknown(blockNumber);
        if (known != bytes25(Hashing.header(header))) revert HeaderMismatch(blockNumber);
    }
}
